// What Apache Kafka records and this broker does not act on: client quotas and SCRAM credentials. It must be there when
// Kafka comes back, after snapshots that this broker wrote.
import { deepEqual } from 'node:assert/strict'
import {
  AlterClientQuotas,
  AlterUserScramCredentials,
  DescribeClientQuotas,
  DescribeUserScramCredentials,
} from '../../protocol/messages/index.ts'
import { eventually } from '../harness/index.ts'
import { open } from '../harness/wire.ts'
import { ask } from './state.ts'

const ITERATIONS = 4096
const SCRAM_SHA_256 = 1

export async function writeWhatWeKeep(bootstrap: string): Promise<void> {
  const wire = await open(bootstrap)
  const entity = [{ entityType: 'user', entityName: 'someone' }]
  const ops = [{ key: 'producer_byte_rate', value: 1_000_000, remove: false }]
  const quotas = await ask(wire, AlterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false })
  deepEqual(
    quotas.entries.map(({ errorCode }) => errorCode),
    [0],
  )
  const credential = { name: 'someone', mechanism: SCRAM_SHA_256, iterations: ITERATIONS }
  const secret = { salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32, 7) }
  const upsertions = [{ ...credential, ...secret }]
  const scram = await ask(wire, AlterUserScramCredentials, 0, { deletions: [], upsertions })
  deepEqual(
    scram.results.map(({ errorCode }) => errorCode),
    [0],
  )
  wire.close()
  await eventually('quotas and credentials', () => checkWhatWeKeep(bootstrap).then(() => true))
}

export async function checkWhatWeKeep(bootstrap: string): Promise<void> {
  const wire = await open(bootstrap)
  try {
    const quotas = await ask(wire, DescribeClientQuotas, 1, { components: [], strict: false })
    deepEqual(
      quotas.entries?.map(({ entity, values }) => ({ entity, values })),
      [
        {
          entity: [{ entityType: 'user', entityName: 'someone' }],
          values: [{ key: 'producer_byte_rate', value: 1_000_000 }],
        },
      ],
    )
    const scram = await ask(wire, DescribeUserScramCredentials, 0, { users: null })
    deepEqual(
      scram.results.map(({ user, credentialInfos }) => ({ user, credentialInfos })),
      [{ user: 'someone', credentialInfos: [{ mechanism: SCRAM_SHA_256, iterations: ITERATIONS }] }],
    )
  } finally {
    wire.close()
  }
}
