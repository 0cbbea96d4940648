// KafkaJS brings gzip alone; its other codecs plug in. These are ours, from the broker's own codecs.
import kafkajs from 'kafkajs'
import { codecReady, compress, decompress, LZ4, SNAPPY, ZSTD } from '../../protocol/records/compression.ts'

const { CompressionCodecs, CompressionTypes } = kafkajs
const MAX_BYTES = 64 << 20

const codec = (id: number) => () => ({
  compress: (encoder: { buffer: Buffer }) => Promise.resolve(compress(id, encoder.buffer)),
  decompress: (bytes: Buffer) => Promise.resolve(decompress(id, bytes, MAX_BYTES)),
})

/** Makes all codecs known to KafkaJS; resolves when they can be used. */
export async function plugInCodecs(): Promise<void> {
  const codecs = CompressionCodecs as Record<number, unknown>
  codecs[CompressionTypes.Snappy] = codec(SNAPPY)
  codecs[CompressionTypes.LZ4] = codec(LZ4)
  codecs[CompressionTypes.ZSTD] = codec(ZSTD)
  await codecReady(ZSTD)
}
