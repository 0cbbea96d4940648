// How generations follow each other: joins, timeouts, sessions, leaders.
import { describe } from 'vitest'
import { scenario } from './transcript.ts'

/** A and B in a stable group g, generation 1, led by A. */
const stable = `
  > join A v=0
    log: group g generation 0
  > join B v=0
  > wait 0s
    A: joined generation 1 as A-1 leader A-1 range [A-1 B-1]
    B: joined generation 1 as B-1 leader A-1 range
  > sync B member=B-1
  > sync A member=A-1 assign=A-1:a,B-1:b
    log: group g generation 1 consumer range leader A-1 [A-1=a B-1=b]
    A: assigned a
    B: assigned b
`

describe('a stable group', () => {
  scenario(
    'rebalances for a new member; heartbeats tell the others (G70)',
    `${stable}
      > join C
        C: MEMBER_ID_REQUIRED id C-1
      > beat A member=A-1
        A: NONE
      > join C member=C-1
      > beat A member=A-1
        A: REBALANCE_IN_PROGRESS
      > sync A member=A-1
        A: REBALANCE_IN_PROGRESS
      > commit A member=A-1 gen=1 offsets=t-0:5
        log: offset g t-0 = 5
        A: t-0 NONE
      > join A member=A-1
      > join B member=B-1
        A: joined generation 2 as A-1 leader A-1 range [A-1 B-1 C-1]
        B: joined generation 2 as B-1 leader A-1 range
        C: joined generation 2 as C-1 leader A-1 range
      > beat A member=A-1 gen=1
        A: ILLEGAL_GENERATION
      > beat A member=A-1 gen=2
        A: NONE
    `,
  )

  scenario(
    'waits for a member that was given its id when it rebalances, as long as its session',
    `${stable}
      > join C
        C: MEMBER_ID_REQUIRED id C-1
      > join A member=A-1
      > join B member=B-1
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1 joining, B-1 joining] pending C-1
      > wait 9999ms
      > wait 1ms
        A: joined generation 2 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 2 as B-1 leader A-1 range
    `,
  )

  scenario(
    'does not rebalance for a follower with nothing new, but for its leader or changed metadata',
    `${stable}
      > join B member=B-1
        B: joined generation 1 as B-1 leader A-1 range
      > join B member=B-1 protocols=range:t+u
      > join A member=A-1
        A: joined generation 2 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 2 as B-1 leader A-1 range
      > sync B member=B-1 gen=2
      > sync A member=A-1 gen=2 assign=A-1:a,B-1:b
        log: group g generation 2 consumer range leader A-1 [A-1=a B-1=b]
        A: assigned a
        B: assigned b
      > join A member=A-1
      > beat B member=B-1 gen=2
        B: REBALANCE_IN_PROGRESS
    `,
  )

  scenario(
    'goes on without a member whose session ends',
    `${stable}
      > wait 9s
      > beat A member=A-1
        A: NONE
      > wait 1s
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1]
      > beat B member=B-1
        B: UNKNOWN_MEMBER_ID
      > join A member=A-1
        A: joined generation 2 as A-1 leader A-1 range [A-1]
    `,
  )

  scenario(
    'is empty when all sessions have ended, with a record of it',
    `${stable}
      > wait 10s
        log: group g generation 2 consumer
      > state
        g Empty generation 2
      > beat A member=A-1
        A: UNKNOWN_MEMBER_ID
      > sync A member=A-1
        A: UNKNOWN_MEMBER_ID
      > commit A member=A-1 gen=1 offsets=t-0:1
        A: UNKNOWN_MEMBER_ID
    `,
  )

  scenario(
    'takes a commit for a sign of life',
    `${stable}
      > wait 9s
      > beat B member=B-1
        B: NONE
      > commit A member=A-1 gen=1 offsets=t-0:1
        log: offset g t-0 = 1
        A: t-0 NONE
      > wait 9s
      > state
        g Stable generation 1 leader A-1 [A-1, B-1]
    `,
  )
})

describe('the rebalance timeout', () => {
  scenario(
    'is the longest of the members; who has not rejoined by then is out, and a new leader takes over',
    `
      > join A v=0 rebalance=20s session=30s
        log: group g generation 0
      > join B v=0 rebalance=40s session=30s
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 1 as B-1 leader A-1 range
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=- B-1=-]
        A: assigned -
      > sync B member=B-1
        B: assigned -
      > join B member=B-1 protocols=range:u rebalance=40s session=30s
      > wait 20s
      > beat A member=A-1
        A: REBALANCE_IN_PROGRESS
      > wait 19999ms
      > wait 1ms
        B: joined generation 2 as B-1 leader B-1 range [B-1]
      > beat A member=A-1 gen=2
        A: UNKNOWN_MEMBER_ID
    `,
  )

  scenario(
    'does not apply to a member that waits longer than its session: its join is answered (G74)',
    `${stable}
      > join B member=B-1 protocols=range:u
      > wait 9s
      > beat A member=A-1
        A: REBALANCE_IN_PROGRESS
      > wait 9s
      > beat A member=A-1
        A: REBALANCE_IN_PROGRESS
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1, B-1 joining]
      > wait 10s
        B: joined generation 2 as B-1 leader B-1 range [B-1]
    `,
  )

  scenario(
    'removes members that joined but never sent SyncGroup',
    `
      > join A v=0 rebalance=15s session=30s
        log: group g generation 0
      > join B v=0 rebalance=15s session=30s
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 1 as B-1 leader A-1 range
      > sync B member=B-1
      > wait 15s
        B: REBALANCE_IN_PROGRESS
      > state
        g PreparingRebalance generation 1 leader B-1 [B-1]
      > join B member=B-1
        B: joined generation 2 as B-1 leader B-1 range [B-1]
    `,
  )

  scenario(
    'removes such members from a stable group too',
    `
      > join A v=0 rebalance=15s session=30s
        log: group g generation 0
      > join B v=0 rebalance=15s session=30s
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 1 as B-1 leader A-1 range
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=- B-1=-]
        A: assigned -
      > wait 15s
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1]
    `,
  )
})

describe('a join that waits', () => {
  scenario(
    'of a new member ends after five minutes',
    `
      > join A v=0 rebalance=1h session=30m
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=-]
        A: assigned -
      > join B v=0 rebalance=1h session=30m
      > wait 299999ms
      > wait 1ms
        B: UNKNOWN_MEMBER_ID
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1]
    `,
  )

  scenario(
    'ends when the same member joins again',
    `${stable}
      > join B member=B-1 protocols=range:u
      > join B2 member=B-1 protocols=range:u
        B: REBALANCE_IN_PROGRESS id B-1
      > join A member=A-1
        A: joined generation 2 as A-1 leader A-1 range [A-1 B-1]
        B2: joined generation 2 as B-1 leader A-1 range
    `,
  )

  scenario(
    'may come twice after a lost answer: the same generation again',
    `
      > join A v=0
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > join A member=A-1
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > join A member=A-1 protocols=range:other
        A: joined generation 2 as A-1 leader A-1 range [A-1]
    `,
  )
})

describe('a restart', () => {
  scenario(
    'keeps generation, members and assignments; sessions start anew',
    `${stable}
      > wait 9s
      > reload
      > state
        g Stable generation 1 leader A-1 [A-1, B-1]
      > wait 9s
      > beat A member=A-1
        A: NONE
      > sync B member=B-1
        B: assigned b
      > wait 1s
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1]
    `,
  )

  scenario(
    'in the middle of a rebalance goes back to the last settled generation',
    `${stable}
      > join C v=0
      > join A member=A-1
      > reload
      > state
        g Stable generation 1 leader A-1 [A-1, B-1]
      > join C member=C-1
        C: UNKNOWN_MEMBER_ID id C-1
      > beat A member=A-1
        A: NONE
    `,
  )
})
