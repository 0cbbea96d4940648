// A client that sends whatever bytes it is given, and one that behaves.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Api, AskOf, ResponseOf } from '../../protocol/index.ts'
import { ApiVersions, CreateTopics, Fetch, Produce, decodeResponse, encodeRequest } from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'

export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  // To be closed, even with a reset, is what these clients ask for.
  socket.on('error', () => socket.destroy())
  return socket
}

/** A request that is always answered, for behind one that may not be. */
const QUESTION = Buffer.concat(encodeRequest(ApiVersions, 0, 1, 'hostile', {}).chunks)

/** Sends bytes and a question behind them; 'closed', or the size of the first answer. */
export async function send(port: number, bytes: Buffer): Promise<'closed' | number> {
  const socket = await open(port)
  const result = new Promise<'closed' | number>(resolve => {
    let received = Buffer.alloc(0)
    socket.on('data', chunk => {
      received = received.length < 4 ? Buffer.concat([received, chunk]) : received
      if (received.length >= 4) resolve(received.readInt32BE())
    })
    socket.on('close', () => resolve('closed'))
  })
  socket.write(bytes)
  socket.write(QUESTION)
  const outcome = await result
  socket.destroy()
  return outcome
}

/** One request on a connection of its own. Throws if there is no answer. */
export async function ask<A extends Api>(
  port: number,
  api: A,
  version: number,
  value: AskOf<A>,
): Promise<ResponseOf<A>> {
  const socket = await open(port)
  socket.write(Buffer.concat(encodeRequest(api, version, 7, 'polite', value).chunks))
  const chunks: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    const all = Buffer.concat(chunks)
    if (all.length < 4 || all.length < 4 + all.readInt32BE()) continue
    socket.destroy()
    return decodeResponse(api, version, all.subarray(4)).value
  }
  throw new Error(`no answer to ${api.name}`)
}

export async function createTopic(port: number, name: string, configs: Record<string, string> = {}): Promise<number> {
  const settings = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: settings }
  return (await ask(port, CreateTopics, 7, { topics: [topic] })).topics[0]!.errorCode
}

export async function produce(port: number, topic: string, batch: Buffer): Promise<number> {
  const records = { byteLength: batch.length, parts: [batch] }
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const reply = await ask(port, Produce, 9, { acks: 1, timeoutMs: 1000, topicData })
  return reply.responses[0]!.partitionResponses[0]!.errorCode
}

/** Whether the broker does what every broker must: create, produce, fetch. */
export async function works(port: number): Promise<boolean> {
  const { apiKeys } = await ask(port, ApiVersions, 3, { clientSoftwareName: 'polite', clientSoftwareVersion: '1' })
  await createTopic(port, 'polite')
  // Not so old that retention takes it.
  const batch = encodeBatch({ timestamp: Date.now(), records: [{ key: null, value: Buffer.from('still here') }] })
  const errorCode = await produce(port, 'polite', batch)
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const fetched = await ask(port, Fetch, 12, {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topic: 'polite', partitions }],
    forgottenTopicsData: [],
  })
  const { records } = fetched.responses[0]!.partitions[0]!
  return apiKeys.length > 0 && errorCode === 0 && records!.parts[0]!.includes('still here')
}
