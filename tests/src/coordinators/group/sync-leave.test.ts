// SyncGroup, LeaveGroup, and what they refuse.
import { describe } from 'vitest'
import { scenario } from './transcript.ts'

/** A and B have joined generation 1 of g, led by A; nobody has synced. */
const joined = `
  > join A v=0
    log: group g generation 0
  > join B v=0
  > wait 0s
    A: joined generation 1 as A-1 leader A-1 range [A-1 B-1]
    B: joined generation 1 as B-1 leader A-1 range
`

describe('SyncGroup', () => {
  scenario(
    'waits for the leader; whom the leader leaves out gets zero bytes, whom it invents nothing (G68)',
    `${joined}
      > sync B member=B-1
      > beat B member=B-1
        B: NONE
      > sync A member=A-1 assign=A-1:a,Z-1:z
        log: group g generation 1 consumer range leader A-1 [A-1=a B-1=-]
        A: assigned a
        B: assigned -
      > sync B member=B-1
        B: assigned -
    `,
  )

  scenario(
    'checks group, member, generation, instance and protocol',
    `
      > sync A member=A-1
        A: UNKNOWN_MEMBER_ID
      ${joined}
      > sync X member=X-1
        X: UNKNOWN_MEMBER_ID
      > sync A member=A-1 gen=2
        A: ILLEGAL_GENERATION
      > sync A member=A-1 instance=i
        A: UNKNOWN_MEMBER_ID
      > sync A member=A-1 type=connect protocol=range
        A: INCONSISTENT_GROUP_PROTOCOL
      > sync A member=A-1 type=consumer protocol=sticky
        A: INCONSISTENT_GROUP_PROTOCOL
      > sync A member=A-1 type=consumer protocol=range
        log: group g generation 1 consumer range leader A-1 [A-1=- B-1=-]
        A: assigned -
    `,
  )

  scenario(
    'is cut off by a rebalance',
    `${joined}
      > sync B member=B-1
      > join C v=0
        B: REBALANCE_IN_PROGRESS
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1, B-1, C-1 joining]
    `,
  )

  scenario(
    'ends when the same member syncs again, or leaves',
    `${joined}
      > sync B member=B-1
      > sync B2 member=B-1
        B: REBALANCE_IN_PROGRESS
      > leave X B-1
        B2: UNKNOWN_MEMBER_ID
        X: B-1 left NONE
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1]
    `,
  )
})

describe('Heartbeat', () => {
  scenario(
    'checks group, member, generation and instance',
    `
      > beat A member=A-1
        A: UNKNOWN_MEMBER_ID
      ${joined}
      > beat X member=X-1
        X: UNKNOWN_MEMBER_ID
      > beat A member=A-1 gen=0
        A: ILLEGAL_GENERATION
      > beat A member=A-1 instance=i
        A: UNKNOWN_MEMBER_ID
    `,
  )
})

describe('LeaveGroup', () => {
  scenario(
    'starts a rebalance; the leadership passes on',
    `${joined}
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=- B-1=-]
        A: assigned -
      > sync B member=B-1
        B: assigned -
      > leave A A-1
        A: A-1 left NONE
      > state
        g PreparingRebalance generation 1 leader B-1 [B-1]
      > beat B member=B-1
        B: REBALANCE_IN_PROGRESS
      > join B member=B-1
        B: joined generation 2 as B-1 leader B-1 range [B-1]
    `,
  )

  scenario(
    'of the last missing member completes the rebalance',
    `${joined}
      > join C v=0
      > join A member=A-1
      > leave B B-1
        B: B-1 left NONE
        A: joined generation 2 as A-1 leader A-1 range [A-1 C-1]
        C: joined generation 2 as C-1 leader A-1 range
    `,
  )

  scenario(
    'takes several members, each with its own result (version 3)',
    `
      > join A v=0
        log: group g generation 0
      > join B instance=i
      > join C
        C: MEMBER_ID_REQUIRED id C-1
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1 i-1@i]
        B: joined generation 1 as i-1 leader A-1 range
      > leave X X-1 C-1 @i @j A-1@i i-1@i
        X: X-1 left UNKNOWN_MEMBER_ID
        X: C-1 left NONE
        X: @i left NONE
        X: @j left UNKNOWN_MEMBER_ID
        X: A-1@i left UNKNOWN_MEMBER_ID
        X: i-1@i left UNKNOWN_MEMBER_ID
      > leave X A-1 A-1
        log: group g generation 2 consumer
        X: A-1 left NONE
        X: A-1 left UNKNOWN_MEMBER_ID
    `,
  )

  scenario(
    'of an unknown group is an unknown member',
    `
      > leave A A-1
        A: A-1 left UNKNOWN_MEMBER_ID
      > state
    `,
  )

  scenario(
    'answers the join that waits',
    `${joined}
      > join C v=0
      > leave X C-1
        C: UNKNOWN_MEMBER_ID
        X: C-1 left NONE
    `,
  )
})
