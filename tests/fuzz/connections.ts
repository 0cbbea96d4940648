// Target: whole connections to a broker in this process. Several clients send requests, right and wrong, in pieces that
// interleave. The broker must answer in order with what the schema allows or close, log no error, and go on serving.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Api } from '../../protocol/api.ts'
import { requestHeaderVersion } from '../../protocol/api.ts'
import { decodeResponse } from '../../protocol/frame.ts'
import { apiByKey } from '../../protocol/messages/index.ts'
import { apis } from '../../src/apis/index.ts'
import { createBroker } from '../../src/index.ts'
import { recordingLogger, type LogLine } from '../../src/runtime/log.ts'
import { messageBytes } from './message-bytes.ts'
import { mutate } from './mutate.ts'
import { anyBatch } from './records.ts'
import type { Random } from './random.ts'
import type { Case, Target } from './target.ts'

interface Sent extends Case {
  readonly apiKey: number
  readonly version: number
}
/** One thing that happens: a client sends bytes, or leaves. */
interface Step extends Case {
  readonly client: number
  readonly bytes: Buffer
  readonly leaves: boolean
}
interface ConnectionsCase extends Case {
  /** Requests of each client; a request's correlation id is its place. */
  readonly clients: readonly (readonly Sent[])[]
  readonly steps: readonly Step[]
}

const WORDS = [
  '',
  'topic',
  'topic',
  'other',
  'group',
  'group',
  'member',
  'range',
  'consumer',
  '__consumer_offsets',
  '1',
]

export const connections: Target<ConnectionsCase> = {
  name: 'connections',
  share: 1,
  generate(random) {
    const streams = Array.from({ length: 1 + random.below(4) }, () => stream(random))
    return { clients: streams.map(({ sent }) => sent), steps: interleave(streams, random) }
  },
  async run({ clients, steps }) {
    const lines: LogLine[] = []
    const broker = createBroker({ listen: '127.0.0.1:0', config: CONFIG, logger: recordingLogger(lines) })
    await broker.listen()
    const port = Number(broker.bootstrap.split(':').at(-1))
    const peers = await Promise.all(clients.map(() => Peer.to(port)))
    try {
      for (const { client, bytes, leaves } of steps) {
        peers[client]!.send(bytes, leaves)
        // A turn of the event loop, so that pieces arrive one by one.
        await new Promise(resolve => setImmediate(resolve))
      }
      await alive(port)
      clients.forEach((sent, client) => peers[client]!.check(sent))
    } finally {
      for (const { socket } of peers) socket.destroy()
      await broker.close()
    }
    const error = lines.find(({ level }) => level === 'error')
    if (error) throw new Error(`logged: ${error.message} ${JSON.stringify(error.fields, stackOf)}`)
  },
}

const CONFIG = {
  'offsets.topic.num.partitions': 1,
  'odradek.shutdown.timeout.ms': 1000,
  'group.min.session.timeout.ms': 1,
}

const stackOf = (_: string, value: unknown): unknown => (value instanceof Error ? value.stack : value)

interface Stream {
  readonly bytes: Buffer
  readonly sent: Sent[]
}

function stream(random: Random): Stream {
  const sent: Sent[] = []
  const parts: Buffer[] = []
  for (let i = 1 + random.below(8); i > 0; i--) {
    const { api, versions } = random.pick(apis)
    const [first, last] = versions
    const version = random.chance(0.95) ? first + random.below(last - first + 1) : last + 1
    parts.push(frame(api, version, sent.length, random))
    sent.push({ apiKey: api.key, version })
  }
  if (random.chance(0.2)) parts.push(random.bytes(random.below(40)))
  return { bytes: Buffer.concat(parts), sent }
}

function frame(api: Api, version: number, correlationId: number, random: Random): Buffer {
  const harm = random.pick([0, 0, 0, 0.02])
  const known = version <= api.versions[1]
  const style = { random, harm, elements: 3, words: WORDS, records: () => anyBatch(random) }
  let body = known ? messageBytes(api.request, version, style) : Buffer.alloc(0)
  if (random.chance(0.1)) body = mutate(body, random)
  const header = Buffer.alloc(14)
  header.writeInt16BE(api.key, 4)
  header.writeInt16BE(version, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(-1, 12)
  const tags = Buffer.alloc(requestHeaderVersion(api, version) - 1)
  const whole = Buffer.concat([header, tags, body])
  whole.writeInt32BE(whole.length - 4, 0)
  return whole
}

/** Cuts every stream into pieces and takes the next piece of any of them. */
function interleave(streams: readonly Stream[], random: Random): Step[] {
  const left = streams.map(({ bytes }) => bytes)
  const steps: Step[] = []
  while (left.some(bytes => bytes.length > 0)) {
    const client = random.pick([...left.keys()].filter(i => left[i]!.length > 0))
    const bytes = left[client]!
    const size = random.chance(0.3) ? bytes.length : 1 + random.below(Math.min(bytes.length, 80))
    const leaves = random.chance(0.02)
    steps.push({ client, bytes: bytes.subarray(0, size), leaves })
    left[client] = leaves ? Buffer.alloc(0) : bytes.subarray(size)
  }
  return steps
}

class Peer {
  readonly socket: Socket
  readonly #received: Buffer[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#received.push(chunk))
    // The broker closes where a request is refused; what is sent afterwards then fails, as it should.
    socket.on('error', () => undefined)
  }

  static async to(port: number): Promise<Peer> {
    const peer = new Peer(connect(port, '127.0.0.1'))
    await once(peer.socket, 'connect')
    return peer
  }

  send(bytes: Buffer, leaves: boolean): void {
    if (this.socket.writable) this.socket.write(bytes)
    if (leaves) this.socket.destroy()
  }

  /** Every answer so far is one of a request sent, in order, and reads as its version says. */
  check(sent: readonly Sent[]): void {
    const bytes = Buffer.concat(this.#received)
    let previous = -1
    for (let at = 0; at + 4 <= bytes.length;) {
      const size = bytes.readInt32BE(at)
      if (at + 4 + size > bytes.length) return
      const answer = bytes.subarray(at + 4, at + 4 + size)
      const correlationId = answer.readInt32BE(0)
      const request = sent[correlationId]
      // Garbage behind the last request may read as another one.
      if (!request) return
      if (correlationId <= previous) throw new Error(`answer ${correlationId} after ${previous}`)
      previous = correlationId
      const api = apiByKey(request.apiKey)!
      const served = apis.find(({ api: { key } }) => key === api.key)!.versions
      if (request.version <= served[1]) decodeResponse(api, request.version, answer)
      at += 4 + size
    }
  }
}

/** Asks ApiVersions 0 over a new connection. */
async function alive(port: number): Promise<void> {
  const peer = await Peer.to(port)
  peer.socket.write(Buffer.from('0000000a0012000000000007ffff', 'hex'))
  const [answer] = (await once(peer.socket, 'data')) as [Buffer]
  peer.socket.destroy()
  if (answer.readInt32BE(4) !== 7) throw new Error('it does not answer ApiVersions any more')
}
