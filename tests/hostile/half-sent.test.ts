// A thousand producers that announce the largest request and send the beginning of it, measured from outside the process.
import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/record.ts'
import { childBroker } from './child.ts'
import { createTopic, open, produce, works } from './peer.ts'

const FRAME = 100 << 20

test('a thousand requests of 100 MiB that stop after one', { timeout: 120_000 }, async () => {
  const half = await childBroker()
  try {
    const { rssMb } = await half.figures()
    const begin = Buffer.alloc(1 << 20)
    begin.writeInt32BE(FRAME)
    begin.writeInt16BE(9, 6)
    const sockets: Awaited<ReturnType<typeof open>>[] = []
    for (let i = 0; i < 1000; i++) {
      const socket = await open(half.port)
      socket.write(begin)
      sockets.push(socket)
    }
    // Others go on, large requests included.
    expect(await works(half.port)).toBe(true)
    await createTopic(half.port, 'large')
    const value = Buffer.alloc(900_000, 'x')
    const batch = encodeBatch({ timestamp: 1, records: [{ key: null, value }] })
    for (let i = 0; i < 10; i++) expect(await produce(half.port, 'large', batch)).toBe(0)
    const during = await half.figures()
    expect(during.peakMb - rssMb).toBeLessThan(400)
    for (const socket of sockets) socket.destroy()
    expect(await works(half.port)).toBe(true)
    const { pools } = await half.figures()
    for (const { peakBytes, limitBytes } of pools) expect(peakBytes).toBeLessThanOrEqual(limitBytes)
  } finally {
    await half[Symbol.asyncDispose]()
  }
})
