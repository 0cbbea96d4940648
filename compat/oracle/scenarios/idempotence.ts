// Idempotent producers: sequences, epochs, duplicates; InitProducerId without a transactional id.
import { scenario } from '../scenario.ts'
import { InitProducerId, Produce } from '../../../protocol/index.ts'
import { batch, produce, producer } from './requests.ts'

const MAX_INT = 0x7fffffff

const of = (producerId: number, producerEpoch: number, baseSequence: number, ...values: string[]) =>
  batch(values, { producerId, producerEpoch, baseSequence })

export const idempotenceScenarios = [
  scenario('idempotence/sequences', Produce, async (on, v) => {
    const topic = await on.topic('t')
    const id = await producer(on)
    await produce(on, 'sequence 0', v, topic, of(id, 0, 0, 'a', 'b'))
    await produce(on, 'the same again', v, topic, of(id, 0, 0, 'a', 'b'))
    await produce(on, 'sequence 2', v, topic, of(id, 0, 2, 'c'))
    await produce(on, 'a gap', v, topic, of(id, 0, 5, 'd'))
    await produce(on, 'back to 0, another length', v, topic, of(id, 0, 0, 'e'))
    await produce(on, 'overlapping the last', v, topic, of(id, 0, 2, 'f', 'g'))
    for (let i = 3; i < 9; i++) await produce(on, `sequence ${i}`, v, topic, of(id, 0, i, `v${i}`))
    await produce(on, 'a duplicate five batches back', v, topic, of(id, 0, 4, 'v4'))
    await produce(on, 'a duplicate six batches back', v, topic, of(id, 0, 3, 'v3'))
    await produce(on, 'the first again, long forgotten', v, topic, of(id, 0, 0, 'a', 'b'))
    await produce(on, 'on after all that', v, topic, of(id, 0, 9, 'end'))
  }),

  scenario('idempotence/epochs', Produce, async (on, v) => {
    const topic = await on.topic('t')
    const id = await producer(on)
    await produce(on, 'epoch 3 first', v, topic, of(id, 3, 0, 'a'))
    await produce(on, 'an older epoch', v, topic, of(id, 2, 1, 'b'))
    await produce(on, 'an older epoch, sequence 0', v, topic, of(id, 0, 0, 'c'))
    await produce(on, 'a newer epoch, sequence 1', v, topic, of(id, 4, 1, 'd'))
    await produce(on, 'a newer epoch, sequence 0', v, topic, of(id, 4, 0, 'e'))
    await produce(on, 'the epoch before, on', v, topic, of(id, 3, 1, 'f'))
    await produce(on, 'the newest epoch, on', v, topic, of(id, 4, 1, 'g'))
    await produce(on, 'far newer', v, topic, of(id, 32_767, 0, 'h'))
  }),

  scenario('idempotence/unknown producers', Produce, async (on, v) => {
    const topic = await on.topic('t')
    await produce(on, 'never given out, sequence 0', v, topic, of(987_654, 0, 0, 'a'))
    await produce(on, 'never given out, sequence 7', v, topic, of(987_655, 0, 7, 'b'))
    await produce(on, 'its next', v, topic, of(987_655, 0, 8, 'c'))
    await produce(on, 'its next but one', v, topic, of(987_655, 0, 10, 'd'))
  }),

  scenario('idempotence/wraparound', Produce, async (on, v) => {
    const topic = await on.topic('t')
    const id = await producer(on)
    await produce(on, 'two before the end', v, topic, of(id, 0, MAX_INT - 1, 'a'))
    await produce(on, 'across the end', v, topic, of(id, 0, MAX_INT, 'b', 'c'))
    await produce(on, 'the same across the end', v, topic, of(id, 0, MAX_INT, 'b', 'c'))
    await produce(on, 'sequence 1', v, topic, of(id, 0, 1, 'd'))
    await produce(on, 'sequence 0, too late', v, topic, of(id, 0, 0, 'e'))
  }),

  scenario('idempotence/InitProducerId', InitProducerId, async (on, v) => {
    const since3 = (producerId: number, producerEpoch: number) => (v >= 3 ? { producerId, producerEpoch } : {})
    const plain = { transactionalId: null, transactionTimeoutMs: 60_000 }
    await on.ask('a new id', InitProducerId, v, plain)
    await on.ask('another', InitProducerId, v, plain)
    await on.ask('time-out 0', InitProducerId, v, { transactionalId: null, transactionTimeoutMs: 0 })
    await on.ask('a negative time-out', InitProducerId, v, { transactionalId: null, transactionTimeoutMs: -1 })
    await on.ask('an empty transactional id', InitProducerId, v, { transactionalId: '', transactionTimeoutMs: 60_000 })
    if (v < 3) return
    await on.ask('an id without its epoch', InitProducerId, v, { ...plain, ...since3(5, -1) })
    await on.ask('an epoch without its id', InitProducerId, v, { ...plain, ...since3(-1, 5) })
    await on.ask('an id and an epoch', InitProducerId, v, { ...plain, ...since3(5, 5) })
    if (v < 6) return
    await on.ask('two-phase commit without a transactional id', InitProducerId, v, { ...plain, enable2Pc: true })
    await on.ask('what is prepared, without one', InitProducerId, v, { ...plain, keepPreparedTxn: true })
    const named = { transactionalId: on.name('two-phase'), transactionTimeoutMs: 60_000 }
    await on.ask('two-phase commit', InitProducerId, v, { ...named, enable2Pc: true })
    await on.ask('what is prepared', InitProducerId, v, { ...named, keepPreparedTxn: true })
    await on.ask('both', InitProducerId, v, { ...named, enable2Pc: true, keepPreparedTxn: true })
    const late = { ...named, transactionTimeoutMs: 2 ** 31 - 1 }
    await on.ask('two-phase commit without a time-out', InitProducerId, v, { ...late, enable2Pc: true })
    await on.ask('what is prepared, without a time-out', InitProducerId, v, { ...late, keepPreparedTxn: true })
    const unnamed = { ...named, transactionalId: '' }
    await on.ask('two-phase commit of the empty id', InitProducerId, v, { ...unnamed, enable2Pc: true })
    await on.ask('an id without its epoch, two-phase', InitProducerId, v, {
      ...named,
      ...since3(5, -1),
      enable2Pc: true,
    })
  }),
]
