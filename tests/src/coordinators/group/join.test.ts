// JoinGroup of classic groups: ids, versions, protocols, sizes, the initial delay.
import { describe, expect, it } from 'vitest'
import { scenario, transcript } from './transcript.ts'

describe('a first member', () => {
  scenario(
    'gets its id first and joins with it (KIP-394)',
    `
      > join A
        log: group g generation 0
        A: MEMBER_ID_REQUIRED id A-1
      > state
        g Empty generation 0 pending A-1
      > join A member=A-1
      > state
        g PreparingRebalance generation 0 leader A-1 [A-1 joining]
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > sync A member=A-1 assign=A-1:all
        log: group g generation 1 consumer range leader A-1 [A-1=all]
        A: assigned all
      > beat A member=A-1
        A: NONE
      > state
        g Stable generation 1 leader A-1 [A-1]
    `,
  )

  scenario(
    'is taken in at once before version 4',
    `
      > join A v=3
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
    `,
  )

  scenario(
    'is taken in at once with an instance id, from which its id is made',
    `
      > join A instance=i
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as i-1 leader i-1 range [i-1@i]
    `,
  )

  scenario(
    'is unknown if it brings an id to a group that does not exist',
    `
      > join A member=A-9
        A: UNKNOWN_MEMBER_ID id A-9
      > state
    `,
  )

  scenario(
    'is unknown if it brings an id that the group does not have',
    `
      > join A v=0
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > join B member=B-9
        B: UNKNOWN_MEMBER_ID id B-9
      > join C member=A-1 instance=i
        C: UNKNOWN_MEMBER_ID id A-1
    `,
  )

  scenario(
    'is forgotten if it does not come back with its id within its session',
    `
      > join A
        log: group g generation 0
        A: MEMBER_ID_REQUIRED id A-1
      > wait 10s
      > state
        g Empty generation 0
      > join A member=A-1
        A: UNKNOWN_MEMBER_ID id A-1
    `,
  )

  scenario(
    'may not use the id it was given together with an instance id',
    `
      > join A
        log: group g generation 0
        A: MEMBER_ID_REQUIRED id A-1
      > join A member=A-1 instance=i
        A: UNKNOWN_MEMBER_ID id A-1
    `,
  )
})

describe('the initial delay', () => {
  const config = { 'group.initial.rebalance.delay.ms': 3000 }

  scenario(
    'collects members, and each new one extends it',
    `
      > join A v=0
        log: group g generation 0
      > wait 2s
      > join B v=0
      > wait 1s
      > state
        g PreparingRebalance generation 0 leader A-1 [A-1 joining, B-1 joining]
      > wait 2999ms
      > wait 1ms
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 1 as B-1 leader A-1 range
      `,
    config,
  )

  scenario(
    'is never longer than the rebalance timeout',
    `
      > join A v=0 rebalance=5s
        log: group g generation 0
      > wait 2s
      > join B v=0 rebalance=5s
      > wait 2s
      > join C v=0 rebalance=5s
      > wait 999ms
      > wait 1ms
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1 C-1]
        B: joined generation 1 as B-1 leader A-1 range
        C: joined generation 1 as C-1 leader A-1 range
      `,
    config,
  )

  scenario(
    'does not delay a group that has members',
    `
      > join A v=0
        log: group g generation 0
      > wait 3s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=-]
        A: assigned -
      > join B v=0
      > join A member=A-1
        A: joined generation 2 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 2 as B-1 leader A-1 range
      `,
    config,
  )
})

describe('protocols', () => {
  scenario(
    'are chosen by votes among those that all members support (G67)',
    `
      > join A v=0 protocols=sticky:t,range:t
        log: group g generation 0
      > join B v=0 protocols=range:t,sticky:t
      > join C v=0 protocols=range:t,sticky:t,own:t
      > wait 2s
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1 C-1]
        B: joined generation 1 as B-1 leader A-1 range
        C: joined generation 1 as C-1 leader A-1 range
      `,
    { 'group.initial.rebalance.delay.ms': 1000 },
  )

  scenario(
    'must overlap with those of the members',
    `
      > join A v=0 protocols=range:t
        log: group g generation 0
      > join B v=0 protocols=sticky:t
        B: INCONSISTENT_GROUP_PROTOCOL
      > join B v=0 type=connect protocols=range:t
        B: INCONSISTENT_GROUP_PROTOCOL
    `,
  )

  scenario(
    'must be there, and so must the type',
    `
      > join A v=0 protocols=
        log: group g generation 0
        A: INCONSISTENT_GROUP_PROTOCOL
      > join A v=0 type=
        A: INCONSISTENT_GROUP_PROTOCOL
      > state
        g Empty generation 0
    `,
  )

  scenario(
    'of another type than consumer work alike',
    `
      > join A v=0 type=connect protocols=compatible:!opaque
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 compatible [A-1]
      > sync A member=A-1 type=connect protocol=compatible assign=A-1:tasks
        log: group g generation 1 connect compatible leader A-1 [A-1=tasks]
        A: assigned tasks
      > describe X g
        X: g Stable NONE connect compatible [A-1 A/127.0.0.1=tasks]
    `,
  )

  scenario(
    'may be another type once the group is empty',
    `
      > join A v=0
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > leave A A-1
        log: group g generation 2 consumer
        A: A-1 left NONE
      > join B v=0 type=connect protocols=own:!x
      > wait 0s
        B: joined generation 3 as B-1 leader B-1 own [B-1]
    `,
  )
})

describe('group.max.size', () => {
  const config = { 'group.max.size': 2, 'group.initial.rebalance.delay.ms': 1000 }

  scenario(
    'refuses one more member, before and after the group is stable',
    `
      > join A v=0
        log: group g generation 0
      > join B v=0
      > join C v=0
        C: GROUP_MAX_SIZE_REACHED
      > wait 2s
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1]
        B: joined generation 1 as B-1 leader A-1 range
      > join C v=0
        C: GROUP_MAX_SIZE_REACHED
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=- B-1=-]
        A: assigned -
      > join C
        C: GROUP_MAX_SIZE_REACHED
      > join B member=B-1
        B: joined generation 1 as B-1 leader A-1 range
      `,
    config,
  )

  it('lets the fastest stay when a loaded group is too large', () => {
    const world = transcript(
      `
      > join A v=0
        log: group g generation 0
      > join B v=0
      > join C v=0
      > wait 2s
        A: joined generation 1 as A-1 leader A-1 range [A-1 B-1 C-1]
        B: joined generation 1 as B-1 leader A-1 range
        C: joined generation 1 as C-1 leader A-1 range
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=- B-1=- C-1=-]
        A: assigned -
      `,
      { 'group.initial.rebalance.delay.ms': 1000 },
    )
    const records = world.log.map(({ key, value }) => ({ key, value }))
    expect(records).toHaveLength(2)
    transcript(
      `
      > state
        g PreparingRebalance generation 1 leader A-1 [A-1, B-1, C-1]
      > join C member=C-1
      > join B member=B-1
      > join A member=A-1
        A: GROUP_MAX_SIZE_REACHED
        B: joined generation 2 as B-1 leader B-1 range [B-1 C-1]
        C: joined generation 2 as C-1 leader B-1 range
      `,
      config,
      records,
    )
  })
})
