// Requests of every API that cannot be read, and of some APIs what is refused but does not fit elsewhere.
import type { Api } from '../../../protocol/api.ts'
import type { Shape } from '../../../protocol/schema.ts'
import {
  DeleteRecords,
  DescribeTransactions,
  encodeRequest,
  FindCoordinator,
  ListTransactions,
  OffsetDelete,
  Produce,
} from '../../../protocol/index.ts'
import { TRANSACTIONAL_ID_NOT_FOUND } from '../../../protocol/errors.ts'
import { apis } from '../../../src/apis/index.ts'
import { bytesOf } from '../../harness/wire.ts'
import { scenario, type Case } from '../scenario.ts'
import { batch, fill, produce } from './requests.ts'

const LONG = 'x'.repeat(30_000)
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const zeros: Readonly<Record<string, unknown>> = {
  bool: false,
  string: '',
  bytes: Buffer.alloc(0),
  records: null,
  uuid: NO_ID,
  array: [],
}

/** Every field of the version, with as little in it as may be. */
function blankOf(shape: Shape, version: number): Record<string, unknown> {
  const fields = Object.entries(shape).filter(([, { spec }]) => spec.since <= version && version <= spec.until)
  return Object.fromEntries(
    fields
      .filter(([, { spec }]) => spec.tag === null)
      .map(([name, { spec }]) => {
        if (spec.kind === 'struct') return [name, spec.nullSince <= version ? null : blankOf(spec.fields!, version)]
        return [name, spec.kind in zeros ? zeros[spec.kind] : 0]
      }),
  )
}

/** One request each on a connection of its own. */
async function unreadable(on: Case, api: Api, version: number): Promise<void> {
  const whole = bytesOf(encodeRequest(api, version, 7, 'c', blankOf(api.request.shape, version) as never).chunks)
  const send = async (label: string, bytes: Buffer): Promise<void> => {
    const wire = await on.connect()
    await on.raw(`${api.name}: ${label}`, bytes, () => 'answered', wire, { name: api.name, version })
    wire.close()
  }
  const cut = Buffer.from(whole.subarray(0, -1))
  cut.writeInt32BE(cut.length - 4, 0)
  await send('a byte too few', cut)
  for (const other of [version + 100, -1]) {
    const of = Buffer.from(whole)
    of.writeInt16BE(other, 6)
    // oxlint-disable-next-line no-await-in-loop -- in order
    await send(`version ${other < 0 ? other : 'beyond all'}`, of)
  }
}

const malformed = scenario('refused/unreadable', null, async on => {
  for (const { api } of apis) {
    const version = on.newestOf(api)
    // oxlint-disable-next-line no-await-in-loop -- in order
    if (version !== null) await unreadable(on, api, version)
  }
})

const patterns = scenario(
  'refused/patterns of transactional ids',
  ListTransactions,
  async (on, v) => {
    for (const transactionalIdPattern of ['[', '*', '(?<', 'a{2,1}', '\\'])
      // oxlint-disable-next-line no-await-in-loop -- in order
      await on.ask(`pattern ${transactionalIdPattern}`, ListTransactions, v, {
        stateFilters: [],
        producerIdFilters: [],
        transactionalIdPattern,
      })
  },
  { versions: [2, 99] },
)

const described = scenario('refused/descriptions of transactions', DescribeTransactions, async (on, v) => {
  await on.until('there are coordinators', async () => {
    const coordinatorKeys = [on.name('a'), on.name('b'), LONG]
    const { coordinators } = await on.useVersion(FindCoordinator, 4, { keyType: 1, coordinatorKeys })
    return coordinators.every(({ errorCode }) => errorCode === 0)
  })
  await on.until('they are served', async () => {
    const transactionalIds = [on.name('a'), on.name('b'), LONG]
    const { transactionStates } = await on.useVersion(DescribeTransactions, 0, { transactionalIds })
    return transactionStates.every(({ errorCode }) => errorCode === TRANSACTIONAL_ID_NOT_FOUND)
  })
  const ask = (label: string, ...transactionalIds: string[]) =>
    on.ask(label, DescribeTransactions, v, { transactionalIds })
  await ask('two unknown ones', on.name('a'), on.name('b'))
  await ask('the empty and an unknown one', '', on.name('a'))
  await ask('a long one', LONG)
})

const compacted = scenario('refused/records of a compacted topic', DeleteRecords, async (on, v) => {
  const topic = await on.topic('t', { configs: { 'cleanup.policy': 'compact' } })
  const both = await on.topic('both', { configs: { 'cleanup.policy': 'compact,delete' } })
  const keyed = { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1_600_000_000_000 }
  for (const of of [topic, both]) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await fill(on, of, batch([], { records: [keyed] }))
    const topics = [{ name: of.name, partitions: [{ partitionIndex: 0, offset: 1 }] }]
    // oxlint-disable-next-line no-await-in-loop -- in order
    await on.ask(of === topic ? 'compacted' : 'compacted and deleted', DeleteRecords, v, { timeoutMs: 1000, topics })
  }
})

const nameless = scenario('refused/offsets of the group without a name', OffsetDelete, async (on, v) => {
  const topic = await on.topic('t')
  const topics = [{ name: topic.name, partitions: [{ partitionIndex: 0 }] }]
  await on.ask('one', OffsetDelete, v, { groupId: '', topics })
  await on.ask('none', OffsetDelete, v, { groupId: '', topics: [] })
})

const MIB = 1 << 20

const largerThanSegments = scenario(
  'refused/a batch larger than a segment',
  Produce,
  async (on, v) => {
    const configs = { 'segment.bytes': String(MIB), 'max.message.bytes': String(4 * MIB) }
    const topic = await on.topic('t', { configs })
    await produce(on, 'larger', v, topic, batch(['x'.repeat(MIB)]))
    await produce(on, 'smaller', v, topic, batch(['x'.repeat(100)]))
  },
  { versions: [3, 99] },
)

export const refusedScenarios = [malformed, patterns, described, compacted, nameless, largerThanSegments]
