// TxnOffsetCommit in the group machine: who is let in, and what a marker makes of it.
import { describe, expect, it } from 'vitest'
import {
  GROUP_ID_NOT_FOUND,
  ILLEGAL_GENERATION,
  INVALID_PRODUCER_ID_MAPPING,
  KafkaError,
  NONE,
  OFFSET_METADATA_TOO_LARGE,
  UNKNOWN_MEMBER_ID,
} from '../../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'
import type { GroupReply, Replies } from '../../../../src/coordinators/group/commands.ts'
import { joinRequest, subscription } from './requests.ts'
import { World } from './world.ts'

interface Commit {
  readonly generation?: number
  readonly memberId?: string
  readonly instance?: string
  readonly version?: number
  readonly producerId?: number
  readonly offset?: number
  readonly metadata?: string
}

class Group {
  readonly replies: GroupReply[] = []
  readonly world = new World({}, { logged: () => undefined, replied: (_ticket, reply) => this.replies.push(reply) })

  /** The error of partition 0, or of the whole request. */
  commit({ generation = -1, memberId = '', instance, version = 5, producerId = 7, offset = 5, metadata = '' }: Commit) {
    const partitions = [
      { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: metadata },
    ]
    const request = {
      transactionalId: 'x',
      groupId: 'g',
      producerId,
      producerEpoch: 0,
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId: instance ?? null,
      topics: [{ name: 't', topicId: ZERO_UUID, partitions }],
    }
    try {
      this.world.submit({ type: 'txnOffsetCommit', request, apiVersion: version, verification: undefined }, 1)
    } catch (error) {
      if (error instanceof KafkaError) return error.code
      throw error
    }
    return (this.replies.at(-1) as Replies['txnOffsetCommit']).topics[0]!.partitions[0]!.errorCode
  }

  end(commit: boolean, producerId = 7): void {
    const marker = { producerId, producerEpoch: 1, commit, coordinatorEpoch: 0, transactionVersion: 2 }
    this.world.submit({ type: 'endTransaction', ...marker }, 2)
  }

  get offset(): number | undefined {
    return this.world.machine.offsets.get('g', 't', 0)?.offset
  }

  /** One member of generation 1. */
  join(): string {
    const request = joinRequest({ groupId: 'g', protocols: [{ name: 'range', metadata: subscription(['t']) }] })
    const client = { apiVersion: 0, clientId: 'c', clientHost: '/', memberIdSuffix: '1' }
    this.world.submit({ type: 'join', request, ...client }, 3)
    this.world.advance(0)
    return (this.replies.at(-1) as Replies['join']).memberId
  }
}

describe('offsets in transactions', () => {
  it('count with the commit, and not at all with the abort', () => {
    const group = new Group()
    expect(group.commit({})).toBe(NONE)
    expect(group.offset).toBeUndefined()
    group.end(true)
    expect(group.offset).toBe(5)
    group.commit({ offset: 9 })
    group.end(false)
    expect(group.offset).toBe(5)
  })

  it('are deleted by OffsetDelete too, and do not come back with the commit', () => {
    const group = new Group()
    group.commit({})
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0 }] }]
    group.world.submit({ type: 'offsetDelete', request: { groupId: 'g', topics } }, 3)
    expect(group.replies.at(-1)).toMatchObject({ errorCode: NONE })
    expect(group.world.machine.offsets.isUnstable('g', 't', 0)).toBe(false)
    group.end(true)
    expect(group.offset).toBeUndefined()
  })

  it('of two producers the one written later counts, whichever ends first', () => {
    const group = new Group()
    group.commit({ producerId: 7, offset: 1 })
    group.commit({ producerId: 8, offset: 2 })
    group.end(true, 8)
    group.end(true, 7)
    expect(group.offset).toBe(2)
  })

  it('of a group that nobody joined need no generation; one that is given must exist', () => {
    const group = new Group()
    expect(group.commit({ generation: 3, memberId: 'm', version: 5 })).toBe(ILLEGAL_GENERATION)
    expect(group.commit({ generation: 3, memberId: 'm', version: 6 })).toBe(GROUP_ID_NOT_FOUND)
    expect(group.commit({})).toBe(NONE)
  })

  it('fence by member and generation, unless the client gives neither (KIP-447)', () => {
    const group = new Group()
    const memberId = group.join()
    expect(group.commit({ generation: 1, memberId: 'other' })).toBe(UNKNOWN_MEMBER_ID)
    expect(group.commit({ generation: 0, memberId })).toBe(ILLEGAL_GENERATION)
    expect(group.commit({ generation: 1, memberId })).toBe(NONE)
    expect(group.commit({ version: 2 })).toBe(NONE)
  })

  it('refuse metadata that is too large, and a producer that is none', () => {
    const group = new Group()
    expect(group.commit({ metadata: 'm'.repeat(4097) })).toBe(OFFSET_METADATA_TOO_LARGE)
    expect(group.commit({ producerId: -1 })).toBe(INVALID_PRODUCER_ID_MAPPING)
  })
})
