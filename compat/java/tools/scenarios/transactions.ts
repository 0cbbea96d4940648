// kafka-transactions: transactions that are open, ended, aborted by hand, and one that nobody will ever end.
import { open, type Wire } from '../../../harness/wire.ts'
import { eventually } from '../../../harness/index.ts'
import { AddPartitionsToTxn, EndTxn, FindCoordinator, InitProducerId, Produce } from '../../../../protocol/index.ts'
import { encodeBatch } from '../../../../protocol/records/record.ts'
import type { Transcript } from '../transcript.ts'
import { runLines, words, type ToolScenario } from './scenario.ts'

interface Producer {
  readonly transactionalId: string | null
  readonly producerId: number
  readonly producerEpoch: number
}

const TRANSACTION = 1
const LATER = new Set([14, 15, 16, 51])

/** Asks until the answer is no longer that it is too early. */
const settled = (ask: () => Promise<number>): Promise<boolean> =>
  eventually('the coordinator', async () => {
    const code = await ask()
    if (code === 0) return true
    if (LATER.has(code)) return false
    throw new Error(`error code ${code}`)
  })

async function begin(wire: Wire, transactionalId: string | null): Promise<Producer> {
  if (transactionalId !== null) {
    await settled(async () => {
      const ask = { keyType: TRANSACTION, coordinatorKeys: [transactionalId] }
      return (await wire.request(FindCoordinator, 4, ask)).coordinators[0]!.errorCode
    })
  }
  let producer: Producer | undefined
  await settled(async () => {
    const answer = await wire.request(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 60_000 })
    producer = { transactionalId, producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    return answer.errorCode
  })
  return producer!
}

const add = (wire: Wire, p: Producer, name: string, partitions: number[]): Promise<boolean> =>
  settled(async () => {
    const answer = await wire.request(AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: p.transactionalId!,
      v3AndBelowProducerId: p.producerId,
      v3AndBelowProducerEpoch: p.producerEpoch,
      v3AndBelowTopics: [{ name, partitions }],
    })
    return answer.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
  })

/** As a client of before KIP-890 does: the partition is not added by this. */
async function write(wire: Wire, p: Producer, name: string, index: number, timestamp: number): Promise<void> {
  const records = encodeBatch({
    ...p,
    baseSequence: 0,
    isTransactional: true,
    records: [{ timestamp, key: null, value: Buffer.from('value') }],
  })
  const answer = await wire.request(Produce, 11, {
    transactionalId: p.transactionalId,
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name, partitionData: [{ index, records: { byteLength: records.length, parts: [records] } }] }],
  })
  const code = answer.responses[0]!.partitionResponses[0]!.errorCode
  if (code !== 0) throw new Error(`Produce: error code ${code}`)
}

const end = (wire: Wire, p: Producer, committed: boolean): Promise<boolean> =>
  settled(
    async () => (await wire.request(EndTxn, 3, { ...p, transactionalId: p.transactionalId!, committed })).errorCode,
  )

/** How long they have been open. */
const masks = [[/^(\d+\s+\S+\s+\d+\s+\d+\s+\w+\s+\d+\s+\d{13}\s+)\d+/g, '$1<duration>']] as const

const looking = `
~list
list --duration-filter 3600000
~list --duration-filter 0
~list --transactional-id-pattern o.*
describe --transactional-id open
describe --transactional-id committed
describe --transactional-id aborted
describe --transactional-id idle
! describe --transactional-id missing
~describe-producers --topic t --partition 0
~describe-producers --topic t --partition 1
~describe-producers --topic t --partition 0 --broker-id 1
find-hanging --broker-id 1
find-hanging --topic t
`

const finding = `
find-hanging --broker-id 1
find-hanging --broker-id 1 --topic t
find-hanging --topic t --partition 2
find-hanging --topic t --partition 0
find-hanging --topic t --max-transaction-timeout 100
describe-producers --topic t --partition 2
`

export const transactions: ToolScenario = {
  name: 'transactions',
  // Without the check, a batch of a transaction that nobody began is taken, as from clients of before KIP-890.
  sharedKeys: { 'transaction.partition.verification.enable': 'false' },
  async run(on) {
    await on.quietly('kafka-topics', words('--create --topic t --partitions 3'))
    await on.run('kafka-transactions', ['list'])
    const wire = await open(on.bootstrap)
    try {
      await steps(on, wire)
    } finally {
      wire.close()
    }
  },
}

async function steps(on: Transcript, wire: Wire): Promise<void> {
  const now = Date.now()
  const begun = async (id: string, ...partitions: number[]): Promise<Producer> => {
    const producer = await begin(wire, id)
    await add(wire, producer, 't', partitions)
    for (const partition of partitions) {
      // oxlint-disable-next-line no-await-in-loop -- the order is part of what is expected
      await write(wire, producer, 't', partition, now)
    }
    return producer
  }
  await begin(wire, 'idle')
  await end(wire, await begun('committed', 0, 1), true)
  await on.until(/CompleteCommit/, 'kafka-transactions', words('describe --transactional-id committed'), { masks })
  await end(wire, await begun('aborted', 0), false)
  await on.until(/CompleteAbort/, 'kafka-transactions', words('describe --transactional-id aborted'), { masks })
  await begun('open', 0, 1)
  await runLines(on, 'kafka-transactions', looking, { masks })
  const hanging = await begin(wire, 'hanging')
  await write(wire, hanging, 't', 2, now - 3_600_000)
  await runLines(on, 'kafka-transactions', finding, { masks })
  await on.run('kafka-transactions', words('abort --topic t --partition 2 --start-offset 0'), { words: true })
  await on.run('kafka-transactions', words('abort --topic t --partition 2 --start-offset 0'), { words: true })
  await on.run('kafka-transactions', words('describe-producers --topic t --partition 2'), { masks })
  await on.run('kafka-transactions', words('find-hanging --broker-id 1'))
  const reading = words('--topic t --partition 2 --offset earliest --isolation-level read_committed --timeout-ms 1500')
  await on.run('kafka-console-consumer', reading)
}
