// Static members (KIP-345, KIP-814): an instance id keeps its place while processes come and go.
import { describe, expect, it } from 'vitest'
import { scenario, transcript } from './transcript.ts'

/** A (instance i, leader) and B (instance j) in a stable group. */
const stable = `
  > join A instance=i
    log: group g generation 0
  > join B instance=j
  > wait 0s
    A: joined generation 1 as i-1 leader i-1 range [i-1@i j-1@j]
    B: joined generation 1 as j-1 leader i-1 range
  > sync B member=j-1 instance=j
  > sync A member=i-1 instance=i assign=i-1:a,j-1:b
    log: group g generation 1 consumer range leader i-1 [i-1@i=a j-1@j=b]
    A: assigned a
    B: assigned b
`

describe('a static member that comes back without its id', () => {
  scenario(
    'takes its place without a rebalance, and the old id is fenced (G69)',
    `${stable}
      > join B instance=j
        log: group g generation 1 consumer range leader i-1 [i-1@i=a j-2@j=b]
        B: joined generation 1 as j-2 leader i-1 range
      > beat A member=i-1 instance=i
        A: NONE
      > beat B member=j-1 instance=j
        B: FENCED_INSTANCE_ID
      > join B member=j-1 instance=j
        B: FENCED_INSTANCE_ID id j-1
      > sync B member=j-1 instance=j
        B: FENCED_INSTANCE_ID
      > leave B j-1@j
        B: j-1@j left FENCED_INSTANCE_ID
      > commit B member=j-1 instance=j gen=1 offsets=t-0:1
        B: FENCED_INSTANCE_ID
      > beat B member=j-1
        B: UNKNOWN_MEMBER_ID
      > sync B member=j-2 instance=j
        B: assigned b
      > reload
      > state
        g Stable generation 1 leader i-1 [i-1@i, j-2@j]
    `,
  )

  scenario(
    'is told its old id as leader before version 9, so that it does not assign anew',
    `${stable}
      > join A instance=i v=8
        log: group g generation 1 consumer range leader i-2 [j-1@j=b i-2@i=a]
        A: joined generation 1 as i-2 leader i-1 range
      > sync A member=i-2 instance=i
        A: assigned a
    `,
  )

  scenario(
    'is told from version 9 on that it leads and need not assign',
    `${stable}
      > join A instance=i v=9
        log: group g generation 1 consumer range leader i-2 [j-1@j=b i-2@i=a]
        A: joined generation 1 as i-2 leader i-2 range [j-1@j i-2@i] skip
      > join B instance=j v=9
        log: group g generation 1 consumer range leader i-2 [i-2@i=a j-2@j=b]
        B: joined generation 1 as j-2 leader i-2 range
    `,
  )

  it('brings all its properties', () => {
    const world = transcript(`${stable}
      > join New instance=j host=/10.0.0.9 session=25s rebalance=70s protocols=range:t+u
        log: group g generation 1 consumer range leader i-1 [i-1@i=a j-2@j=b]
        New: joined generation 1 as j-2 leader i-1 range
      > describe X g
        X: g Stable NONE consumer range [i-1@i A/127.0.0.1=a, j-2@j New/10.0.0.9=b]
    `)
    const member = world.replica().groups.get('g')?.members.get('j-2')
    expect(member).toMatchObject({ clientId: 'New', clientHost: '/10.0.0.9', sessionTimeoutMs: 25_000 })
    expect(member?.rebalanceTimeoutMs).toBe(70_000)
    for (const machine of [world.machine, world.replica()]) {
      expect(machine.groups.get('g')?.subscribedTopics).toEqual(new Set(['t', 'u']))
    }
  })

  scenario(
    'rebalances if the chosen protocol changes',
    `
      > join A instance=i protocols=range:t,sticky:t
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as i-1 leader i-1 range [i-1@i]
      > sync A member=i-1 instance=i
        log: group g generation 1 consumer range leader i-1 [i-1@i=-]
        A: assigned -
      > join A instance=i protocols=sticky:t,range:t
        A: joined generation 2 as i-2 leader i-2 sticky [i-2@i]
    `,
  )

  scenario(
    'rebalances while the assignment is being made',
    `
      > join A instance=i
        log: group g generation 0
      > join B instance=j
      > wait 0s
        A: joined generation 1 as i-1 leader i-1 range [i-1@i j-1@j]
        B: joined generation 1 as j-1 leader i-1 range
      > sync B member=j-1 instance=j
      > join B2 instance=j
        B: FENCED_INSTANCE_ID
      > join A member=i-1 instance=i
        A: joined generation 2 as i-1 leader i-1 range [i-1@i j-2@j]
        B2: joined generation 2 as j-2 leader i-1 range
    `,
  )

  scenario(
    'fences the join that waits',
    `${stable}
      > join C v=0
      > join B member=j-1 instance=j
      > join B2 instance=j
        B: FENCED_INSTANCE_ID id j-1
      > join A member=i-1 instance=i
        A: joined generation 2 as i-1 leader i-1 range [i-1@i C-1 j-2@j]
        C: joined generation 2 as C-1 leader i-1 range
        B2: joined generation 2 as j-2 leader i-1 range
    `,
  )
})

describe('static members in a rebalance', () => {
  scenario(
    'stay in the group when they do not rejoin in time, until their sessions end',
    `
      > join A instance=i rebalance=15s session=60s
        log: group g generation 0
      > join B v=0 rebalance=15s session=60s
      > wait 0s
        A: joined generation 1 as i-1 leader i-1 range [i-1@i B-1]
        B: joined generation 1 as B-1 leader i-1 range
      > join B member=B-1 protocols=range:u rebalance=15s session=60s
      > wait 15s
        B: joined generation 2 as B-1 leader B-1 range [i-1@i B-1]
      > beat A member=i-1 instance=i gen=2
        A: NONE
    `,
  )

  scenario(
    'hold the group back when none of them comes back',
    `
      > join A instance=i rebalance=15s session=20s
        log: group g generation 0
      > join B v=0 rebalance=15s session=20s
      > wait 0s
        A: joined generation 1 as i-1 leader i-1 range [i-1@i B-1]
        B: joined generation 1 as B-1 leader i-1 range
      > sync A member=i-1 instance=i
        log: group g generation 1 consumer range leader i-1 [i-1@i=- B-1=-]
        A: assigned -
      > sync B member=B-1
        B: assigned -
      > wait 5s
      > beat A member=i-1 instance=i
        A: NONE
      > leave B B-1
        B: B-1 left NONE
      > wait 15s
      > state
        g PreparingRebalance generation 1 leader i-1 [i-1@i]
      > wait 5s
        log: group g generation 2 consumer
    `,
  )
})
