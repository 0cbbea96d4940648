// An idempotent producer with five batches in flight sends all of them again after a restart: each is recognised, although
// a snapshot was taken in between.
import { expect, test } from 'vitest'
import { NONE } from '../../protocol/errors.ts'
import { InitProducerId, Produce } from '../../protocol/messages/index.ts'
import { crashFiles } from '../../storage/files-crash.ts'
import { records, testBroker, type TestBroker } from '../src/broker/harness.ts'

const produce = async (broker: TestBroker, producerId: number, baseSequence: number) => {
  const batch = records([`record ${baseSequence}`], { producerId, producerEpoch: 0, baseSequence })
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: batch }] }]
  const reply = await broker.ask(Produce, { acks: -1, timeoutMs: 1000, topicData }, 12)
  const { errorCode, baseOffset } = reply!.responses[0]!.partitionResponses[0]!
  return { errorCode, baseOffset }
}

const BATCHES = [0, 1, 2, 3, 4, 5, 6]

for (const [how, stop] of [
  ['a kill', async () => undefined],
  ['a clean stop', async (broker: TestBroker) => broker.opened.close()],
] as const) {
  test(`after ${how}, with a roll at every batch`, async () => {
    const files = crashFiles()
    const first = await testBroker({ files })
    await first.createTopic('t', 1, { 'internal.segment.bytes': '100' })
    const init = await first.ask(InitProducerId, { transactionalId: null, transactionTimeoutMs: 1000 }, 4)
    const { producerId } = init!
    for (const sequence of BATCHES) {
      expect(await produce(first, producerId, sequence)).toEqual({ errorCode: NONE, baseOffset: sequence })
    }
    await stop(first)
    files.kill()
    const second = await testBroker({ files })
    for (const sequence of BATCHES.slice(-5)) {
      expect(await produce(second, producerId, sequence)).toEqual({ errorCode: NONE, baseOffset: sequence })
    }
    expect(await produce(second, producerId, 7)).toEqual({ errorCode: NONE, baseOffset: 7 })
  })
}
