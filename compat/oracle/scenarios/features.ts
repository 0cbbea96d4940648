// Levels of features: what UpdateFeatures takes and refuses, what ApiVersions tells afterwards, and that coordinators
// follow.
import type { AskOf } from '../../../protocol/api.ts'
import {
  AddPartitionsToTxn,
  ApiVersions,
  DescribeConfigs,
  DescribeTransactions,
  EndTxn,
  IncrementalAlterConfigs,
  InitProducerId,
  UpdateFeatures,
} from '../../../protocol/index.ts'
import { scenario, type Case } from '../scenario.ts'
import { add, begin, complete, end, ONE_SEGMENT } from './transactions.ts'

type Update = readonly [feature: string, level: number, upgradeType?: number]

const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3]
const TRANSACTION = 'transaction.version'
const METADATA = 'metadata.version'
const ELR = 'eligible.leader.replicas.version'
const MIN_INSYNC = 'min.insync.replicas'
const [SET, DELETE] = [0, 1]

const request = (v: number, updates: readonly Update[], validateOnly = false): AskOf<typeof UpdateFeatures> => ({
  timeoutMs: 10_000,
  featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) =>
    v === 0
      ? { feature, maxVersionLevel, allowDowngrade: upgradeType !== UPGRADE }
      : { feature, maxVersionLevel, upgradeType },
  ),
  ...(v >= 1 && { validateOnly }),
})

/** The level that this broker and Kafka both serve. */
async function level(on: Case, label: string, feature: string): Promise<void> {
  await on.attempt(label, ApiVersions, 4, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }, undefined, answer =>
    answer.finalizedFeatures.filter(({ name }) => name === feature),
  )
}

/** Until the broker half of Kafka has heard of it. */
const isAt = (on: Case, feature: string, wanted: number): Promise<void> =>
  on.until(`${feature} is ${wanted}`, async () => {
    const answer = await on.useVersion(ApiVersions, 4, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    const found = answer.finalizedFeatures.find(({ name }) => name === feature)
    return (found?.maxVersionLevel ?? 0) === wanted
  })

/** Nothing of this is kept: other cases look at the same broker. */
const refusals = scenario(
  'features/only looked at',
  UpdateFeatures,
  async (on, v) => {
    const look = (label: string, ...updates: Update[]) => on.ask(label, UpdateFeatures, v, request(v, updates, true))
    await look('nothing')
    await look('the same level', [TRANSACTION, 2])
    await look('the same level as a safe downgrade', [TRANSACTION, 2, SAFE])
    await look('the same level as an unsafe downgrade', [TRANSACTION, 2, UNSAFE])
    await look('twice', [TRANSACTION, 1, SAFE], [TRANSACTION, 1, SAFE])
    await look('twice, the last one good', [TRANSACTION, 9], [TRANSACTION, 2])
    await look('twice, the last one bad', [TRANSACTION, 2], [TRANSACTION, 9])
    await look('a good and a bad one', [TRANSACTION, 2], [METADATA, 77])
    await look('too high', [TRANSACTION, 3])
    await look('negative', [TRANSACTION, -1, SAFE])
    await look('a downgrade as an upgrade', [TRANSACTION, 1])
    await look('a downgrade to 0 as an upgrade', [TRANSACTION, 0])
    await look('an unknown feature', ['no.such.feature', 1])
    await look('an unknown feature to 0', ['no.such.feature', 0, SAFE])
    await look('the empty name', ['', 1])
    await look('metadata, the same', [METADATA, 30])
    await look('metadata, too high', [METADATA, 31])
    await look('metadata, too low', [METADATA, 1, UNSAFE])
    await look('metadata, 0', [METADATA, 0, UNSAFE])
    await look('metadata, a safe downgrade', [METADATA, 29, SAFE])
    await look('metadata, an unsafe downgrade', [METADATA, 29, UNSAFE])
    await look('metadata, a downgrade as an upgrade', [METADATA, 29])
    await look('eligible leader replicas, too high', [ELR, 2])
    await look('groups, the same', ['group.version', 1])
    await look('groups, too high', ['group.version', 2])
    await look('a quorum of another kind', ['kraft.version', 1])
    await look('a quorum of the same kind', ['kraft.version', 0])
    await look('a quorum of a kind that is not', ['kraft.version', 2])
    if (v === 0) return
    for (const type of [0, 4, -1]) await look(`type ${type}`, [TRANSACTION, 2, type])
    await look('a safe downgrade', [TRANSACTION, 1, SAFE])
    await look('an unsafe downgrade', [TRANSACTION, 0, UNSAFE])
    await look('groups, a downgrade', ['group.version', 0, SAFE])
    await look('groups and transactions', ['group.version', 0, SAFE], [TRANSACTION, 0, SAFE])
    await level(on, 'as before', TRANSACTION)
  },
  { versions: [1, 99] },
)

/** Without dry runs. */
const oldRefusals = scenario(
  'features/refused',
  UpdateFeatures,
  async (on, v) => {
    const ask = (label: string, ...updates: Update[]) => on.ask(label, UpdateFeatures, v, request(v, updates))
    await ask('too high', [TRANSACTION, 3])
    await ask('negative', [TRANSACTION, -1])
    await ask('a downgrade', [TRANSACTION, 1])
    await ask('a downgrade that is allowed', [TRANSACTION, 1, SAFE])
    await ask('a good and a bad one', [TRANSACTION, 2], [METADATA, 77])
    await ask('an unknown feature', ['no.such.feature', 1])
    await ask('the empty name', ['', 1])
    await ask('metadata, a downgrade', [METADATA, 29, SAFE])
    await level(on, 'as before', TRANSACTION)
  },
  { versions: [0, 0] },
)

const changes = scenario(
  'features/changed',
  UpdateFeatures,
  async (on, v) => {
    const change = (label: string, ...updates: Update[]) => on.ask(label, UpdateFeatures, v, request(v, updates))
    await change('nothing')
    await change('the same level', [TRANSACTION, 2])
    await change('the same metadata', [METADATA, 30])
    if (v === 0) return
    await change('a safe downgrade', [TRANSACTION, 1, SAFE])
    await isAt(on, TRANSACTION, 1)
    await level(on, 'one less', TRANSACTION)
    await change('to a higher level as a downgrade', [TRANSACTION, 2, SAFE])
    await change('to a higher level as an unsafe downgrade', [TRANSACTION, 2, UNSAFE])
    await change('an unsafe downgrade and a bad update', [TRANSACTION, 0, UNSAFE], ['no.such.feature', 1])
    await level(on, 'still one less', TRANSACTION)
    await change('to nothing', [TRANSACTION, 0, UNSAFE])
    await isAt(on, TRANSACTION, 0)
    await level(on, 'not told any more', TRANSACTION)
    await change('to nothing again', [TRANSACTION, 0, SAFE])
    await change('two levels up', [TRANSACTION, 2])
    await isAt(on, TRANSACTION, 2)
    await level(on, 'as in the beginning', TRANSACTION)
  },
  { alone: true },
)

const leaderReplicas = scenario(
  'features/eligible leader replicas',
  UpdateFeatures,
  async (on, v) => {
    const change = (label: string, ...updates: Update[]) => on.ask(label, UpdateFeatures, v, request(v, updates))
    const alter = (label: string, resourceName: string, configOperation: number, value: string | null) =>
      on.ask(label, IncrementalAlterConfigs, 1, {
        resources: [{ resourceType: 4, resourceName, configs: [{ name: MIN_INSYNC, configOperation, value }] }],
        validateOnly: false,
      })
    const described = (label: string, resourceName: string) =>
      on.ask(label, DescribeConfigs, 4, {
        resources: [{ resourceType: 4, resourceName, configurationKeys: [MIN_INSYNC] }],
        includeSynonyms: true,
      })
    await level(on, 'on in a new cluster', ELR)
    await described('a value for all', '')
    await alter('a value of this broker', '1', SET, '2')
    await alter('no value for all', '', DELETE, null)
    await alter('another value for all', '', SET, '2')
    await change('off', [ELR, 0, SAFE])
    await isAt(on, ELR, 0)
    await alter('a value of this broker, by now', '1', SET, '2')
    await alter('no value for all, by now', '', DELETE, null)
    await on.until('no value for all', async () => {
      const { results } = await on.useVersion(DescribeConfigs, 4, {
        resources: [{ resourceType: 4, resourceName: '', configurationKeys: [MIN_INSYNC] }],
      })
      return results[0]?.configs.length === 0
    })
    await change('on', [ELR, 1])
    await isAt(on, ELR, 1)
    await on.until('the broker follows', async () => {
      const { results } = await on.useVersion(DescribeConfigs, 4, {
        resources: [{ resourceType: 4, resourceName: '1', configurationKeys: [MIN_INSYNC] }],
      })
      return results[0]?.configs[0]?.value === '1'
    })
    await described('a value for all again', '')
    await described('none of this broker', '1')
  },
  { versions: [2, 2], alone: true },
)

/** Epochs tell which protocol a coordinator follows. */
const coordinators = scenario(
  'features/coordinators follow',
  UpdateFeatures,
  async (on, v) => {
    const topic = await on.topic('t', { configs: ONE_SEGMENT })
    for (const [index, wanted] of [2, 1, 0, 2].entries()) {
      const update = [TRANSACTION, wanted, index === 1 || index === 2 ? SAFE : UPGRADE] as const
      await on.ask(`to ${wanted}`, UpdateFeatures, v, request(v, [update]))
      await isAt(on, TRANSACTION, wanted)
      const at = `at ${wanted}, ${index}`
      const old = await begin(on, `old-${index}`)
      await add(on, old, topic, 0)
      await on.ask(`${at}: an older client commits`, EndTxn, 4, end(old, true))
      await complete(on, old)
      const recent = await begin(on, `new-${index}`)
      await add(on, recent, topic, 0)
      await on.ask(`${at}: a new client commits`, EndTxn, 5, end(recent, true))
      // At level 0 it is refused, and Kafka keeps the transaction from then on.
      if (wanted > 0) await complete(on, recent)
      const adding = await begin(on, `adding-${index}`)
      await on.ask(`${at}: a new client adds`, AddPartitionsToTxn, 4, {
        transactions: [{ ...adding, topics: [{ name: topic.name, partitions: [0] }] }],
      })
      const open = await begin(on, `open-${index}`)
      await add(on, open, topic, 0)
      const again = { transactionalId: open.transactionalId, transactionTimeoutMs: 60_000 }
      await on.ask(`${at}: taken over while open`, InitProducerId, 5, again)
      await complete(on, open)
      await on.ask(`${at}: taken over`, InitProducerId, 5, again)
      const transactionalIds = [old, open].map(({ transactionalId }) => transactionalId)
      await on.ask(`${at}: how they stand`, DescribeTransactions, 0, { transactionalIds })
    }
  },
  { versions: [2, 2], alone: true },
)

export const featureScenarios = [refusals, oldRefusals, changes, coordinators, leaderReplicas]
