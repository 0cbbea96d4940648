// Frames, headers, order: what is answered and what closes the connection.
import { scenario } from '../scenario.ts'
import { ApiVersions, decodeResponse, encodeRequest, Metadata } from '../../../protocol/index.ts'
import { bytesOf } from '../../harness/wire.ts'

/** A request header of version 1 and a body. */
function frame(
  apiKey: number,
  version: number,
  correlationId: number,
  body: Buffer = Buffer.alloc(0),
  clientId: string | null = 'c',
): Buffer {
  const id = clientId === null ? Buffer.alloc(0) : Buffer.from(clientId)
  const head = Buffer.alloc(14)
  head.writeInt16BE(apiKey, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(correlationId, 8)
  head.writeInt16BE(clientId === null ? -1 : id.length, 12)
  const whole = Buffer.concat([head, id, body])
  whole.writeInt32BE(whole.length - 4, 0)
  return whole
}

const size = (bytes: number): Buffer => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(bytes)
  return buffer
}

/** Error code and the one range of an ApiVersions answer of version 0. */
const refusedVersion = (answer: Buffer): unknown => {
  const { correlationId, value } = decodeResponse(ApiVersions, 0, answer)
  const own = value.apiKeys.filter(({ apiKey }) => apiKey === ApiVersions.key)
  return {
    correlationId,
    errorCode: value.errorCode,
    count: value.errorCode === 0 ? 'many' : value.apiKeys.length,
    own,
  }
}

export const framingScenarios = [
  scenario('framing/refused', null, async on => {
    const closed = () => 'answered'
    const send = async (label: string, bytes: Buffer) => on.raw(label, bytes, closed, await on.connect())
    await send('an unknown API key', frame(999, 0, 1))
    await send('a negative API key', frame(-1, 0, 1))
    await send('an unknown version of Metadata', frame(3, 99, 1, Buffer.from([0, 0, 0, 0])))
    await send('a negative version', frame(3, -1, 1, Buffer.from([0, 0, 0, 0])))
    await send('the key of a controller API', frame(59, 0, 1))
    await send('LeaderAndIsr, a key of old', frame(4, 0, 1))
    await send('a body cut short', frame(3, 1, 1, Buffer.from([0, 0])))
    await send('an array larger than the request', frame(3, 1, 1, Buffer.from([0x7f, 0, 0, 0])))
    await send('an array of negative length', frame(3, 1, 1, Buffer.from([0xff, 0xff, 0xff, 0xfe])))
    await send('no body', frame(3, 1, 1))
    await send('a header cut short', Buffer.concat([size(3), Buffer.alloc(3)]))
    await send('size 0', size(0))
    await send('a negative size', size(-1))
    await send('a size beyond all limits', size(0x7fffffff))
    await send('a size of 200 MB', size(200_000_000))
    await send('bytes behind the body', frame(18, 0, 1, Buffer.from([1, 2, 3])))
    await send('a null client id', frame(18, 0, 1, Buffer.alloc(0), null))
    await send('an empty client id', frame(18, 0, 1, Buffer.alloc(0), ''))
    await send('text', Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  }),

  scenario('framing/ApiVersions above all', null, async on => {
    // Behind the header of version 2 its tagged fields: none.
    const above = (version: number, id: number): Buffer => frame(18, version, id, Buffer.from([0, 2, 0x61, 2, 0x31, 0]))
    for (const version of [6, 7, 100, 32_767]) {
      const wire = await on.connect()
      await on.raw(`version ${version}`, above(version, 40 + (version & 7)), refusedVersion, wire, {
        name: ApiVersions.name,
        version: 0,
      })
    }
    await on.raw('version -1', frame(18, -1, 40), refusedVersion, await on.connect())
    const wire = await on.connect()
    await on.raw('then the connection goes on: refused', above(99, 1), refusedVersion, wire)
    await on.raw('then the connection goes on: taken', frame(18, 0, 2), refusedVersion, wire)
  }),

  scenario('framing/order', null, async on => {
    const topic = await on.topic('t')
    const wire = await on.connect()
    const metadata = (id: number) =>
      bytesOf(
        encodeRequest(Metadata, 4, id, 'c', { topics: [{ name: topic.name }], allowAutoTopicCreation: false }).chunks,
      )
    const ids: number[] = []
    const frames = [frame(18, 0, 5), metadata(3), frame(18, 0, 4), metadata(-7), frame(18, 99, 0, Buffer.from([0]))]
    await Promise.all(frames.map(async bytes => ids.push((await wire.raw(bytes))?.readInt32BE(0) ?? NaN)))
    on.note('correlation ids in the order of their answers', ids)
    const split = frame(18, 0, 9)
    wire.post(split.subarray(0, 3))
    wire.post(split.subarray(3, 9))
    await on.raw('a frame in three pieces', split.subarray(9), answer => answer.readInt32BE(0), wire)
  }),
]
