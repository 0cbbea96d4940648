// A broker without sockets for tests: real handlers on real storage over any Files, in virtual time. Requests and answers
// pass through the wire codec, so that what a version cannot carry is missing here too.
import type { Api, AskOf, RequestOf, ResponseOf } from '../../../protocol/api.ts'
import type { Files } from '../../../storage/files.ts'
import type { ConnectionInfo } from '../../../src/apis/handler.ts'
import type { OpenBroker } from '../../../src/broker/open.ts'
import type { VirtualRuntime } from '../../../src/runtime/index.ts'
import type { MemoryBudget } from '../../../src/runtime/memory.ts'
import { decode, encode, KafkaError, Reader, Writer } from '../../../protocol/index.ts'
import { CreateTopics } from '../../../protocol/messages/index.ts'
import { encodeBatch, type BatchToEncode } from '../../../protocol/records/record.ts'
import { apis } from '../../../src/apis/index.ts'
import { openBroker } from '../../../src/broker/open.ts'
import { parse } from '../../../src/config/index.ts'
import { virtualRuntime } from '../../../src/runtime/virtual.ts'

export interface TestBroker {
  readonly runtime: VirtualRuntime
  readonly opened: OpenBroker
  readonly connection: TestConnection
  /** Sends one request; the highest version unless given. Resolves with the decoded answer, null if there is none. */
  ask<A extends Api>(
    api: A,
    value: AskOf<A>,
    version?: number,
    connection?: TestConnection,
  ): Promise<ResponseOf<A> | null>
  /** Runs `fn` as one turn of the event loop: what its requests append is written when it returns. */
  turn<T>(fn: () => T): T
  createTopic(name: string, partitions?: number, configs?: Record<string, string>): Promise<string>
}

export interface TestConnection extends ConnectionInfo {
  closed: boolean
  /** As when the client goes away. */
  drop(): void
}

export interface TestBrokerOptions {
  readonly files: Files
  /** Further log directories, by path. */
  readonly more?: Readonly<Record<string, Files>>
  /** The directory of the metadata log, where it has one of its own. */
  readonly metadata?: Files
  readonly config?: Record<string, string | number | boolean>
  readonly durable?: boolean
  readonly seed?: number
  readonly features?: Readonly<Record<string, number>>
  /** To see what its pools hold. */
  readonly memory?: MemoryBudget
}

export async function testBroker({
  files,
  more = {},
  metadata,
  config = {},
  durable = true,
  seed = 1,
  features,
  memory,
}: TestBrokerOptions): Promise<TestBroker> {
  const runtime = virtualRuntime({ seed })
  const names = ['test', ...Object.keys(more)]
  const flags = { 'log.dirs': names.join(','), 'offsets.topic.num.partitions': 2, ...config }
  const opened = await openBroker({
    config: parse({ flags }),
    runtime,
    directories: Object.entries({ test: files, ...more }).map(([path, of]) => ({ path, files: of })),
    metadata: metadata && { path: 'metadata', files: metadata },
    durable,
    ...(features && { features }),
    ...(memory && { memory }),
  })
  const connection = testConnection()
  let inTurn = false
  const broker: TestBroker = {
    runtime,
    opened,
    connection,
    ask(api, value, version = servedMax(api), over = connection) {
      const answer = ask(opened, runtime, api, value, version, over)
      if (!inTurn) runtime.flush()
      return answer
    },
    turn(fn) {
      inTurn = true
      try {
        return fn()
      } finally {
        inTurn = false
        runtime.flush()
      }
    },
    async createTopic(name, partitions = 1, configs = {}) {
      const settings = Object.entries(configs).map(([key, text]) => ({ name: key, value: text }))
      const topic = { name, numPartitions: partitions, replicationFactor: -1, assignments: [], configs: settings }
      const reply = await broker.ask(CreateTopics, { topics: [topic], timeoutMs: 1000, validateOnly: false })
      const created = reply!.topics[0]!
      if (created.errorCode !== 0) throw new KafkaError(created.errorCode, created.errorMessage ?? undefined)
      return created.topicId
    },
  }
  return broker
}

export function testConnection(id = 1): TestConnection {
  const listeners = new Set<() => void>()
  return {
    id,
    localAddress: '127.0.0.1',
    localPort: 9092,
    remoteAddress: '127.0.0.1',
    remotePort: 50_000,
    listenerName: 'PLAINTEXT',
    softwareName: 'test',
    softwareVersion: '1',
    answerRoom: Infinity,
    closed: false,
    onClose(fn) {
      listeners.add(fn)
      return () => listeners.delete(fn)
    },
    drop() {
      this.closed = true
      for (const fn of listeners) fn()
    },
  }
}

const handlerOf = (api: Api) => apis.find(handler => handler.api.key === api.key)!
const servedMax = (api: Api): number => handlerOf(api).versions[1]

async function ask<A extends Api>(
  { broker }: OpenBroker,
  runtime: VirtualRuntime,
  api: A,
  value: AskOf<A>,
  apiVersion: number,
  connection: TestConnection,
): Promise<ResponseOf<A> | null> {
  const handler = handlerOf(api)
  const writer = new Writer()
  encode(api.request, apiVersion, value as never, writer)
  const request = decode(api.request, apiVersion, new Reader(writer.toBuffer())) as RequestOf<A>
  const context = {
    broker,
    connection,
    apiVersion,
    clientId: 'tester',
    now: runtime.clock.now(),
    closeConnection: () => connection.drop(),
    holdNext: () => undefined,
  }
  let reply: unknown
  try {
    reply = await handler.handle(request, context)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    reply = handler.onError(request, error)
  }
  if (reply === null) return null
  const out = new Writer()
  encode(api.response, apiVersion, reply as never, out)
  const bytes = out.toBuffer()
  return decode(api.response, apiVersion, new Reader(bytes)) as ResponseOf<A>
}

/** A batch as a producer sends it. */
export function records(
  values: readonly string[],
  more: Partial<BatchToEncode> = {},
): { byteLength: number; parts: Buffer[] } {
  const bytes = encodeBatch({
    timestamp: 1_700_000_000_000,
    records: values.map(text => ({ key: null, value: Buffer.from(text) })),
    ...more,
  })
  return { byteLength: bytes.length, parts: [bytes] }
}
