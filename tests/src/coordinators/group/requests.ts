// Requests of tests, with a value for everything a test does not care about.
import type { GroupContext } from '../../../../src/coordinators/group/coordinator.ts'
import type { RequestOf } from '../../../../protocol/api.ts'
import type { JoinGroup, OffsetCommit, SyncGroup } from '../../../../protocol/messages/index.ts'
import { ConsumerProtocolSubscription } from '../../../../protocol/state/consumer-protocol.ts'
import { encodeVersioned } from '../../../../protocol/state/versioned.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'

export const subscription = (topics: readonly string[], version = 3) =>
  encodeVersioned(ConsumerProtocolSubscription, version, { topics })

export const joinRequest = (more: Partial<RequestOf<typeof JoinGroup>> = {}): RequestOf<typeof JoinGroup> => ({
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscription(['t']) }],
  reason: null,
  ...more,
})

export const syncRequest = (more: Partial<RequestOf<typeof SyncGroup>> = {}): RequestOf<typeof SyncGroup> => ({
  groupId: 'g',
  generationId: 1,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocolName: 'range',
  assignments: [],
  ...more,
})

export const commitRequest = (
  partitions: Record<string, number>,
  more: Partial<RequestOf<typeof OffsetCommit>> = {},
): RequestOf<typeof OffsetCommit> => ({
  groupId: 'g',
  generationIdOrMemberEpoch: -1,
  memberId: '',
  groupInstanceId: null,
  retentionTimeMs: -1,
  topics: Object.entries(partitions).map(([partition, committedOffset]) => {
    const [, name = '', index = '0'] = /^(.*)-(\d+)$/.exec(partition) ?? []
    return {
      name,
      topicId: ZERO_UUID,
      partitions: [
        {
          partitionIndex: Number(index),
          committedOffset,
          committedLeaderEpoch: -1,
          commitTimestamp: -1,
          committedMetadata: '',
        },
      ],
    }
  }),
  ...more,
})

export const context = (apiVersion: number, clientId = 'client'): GroupContext => ({
  apiVersion,
  clientId,
  clientHost: '/127.0.0.1',
})
