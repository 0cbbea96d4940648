// DescribeGroups, ListGroups, DeleteGroups.
import { describe } from 'vitest'
import { scenario } from './transcript.ts'

/** s: a simple group; g: stable; p: a rebalance under way; e: empty. */
const groups = `
  > commit X group=s offsets=t-0:1
    log: offset s t-0 = 1
    X: t-0 NONE
  > join A v=0
    log: group g generation 0
  > wait 0s
    A: joined generation 1 as A-1 leader A-1 range [A-1]
  > describe X g
    X: g CompletingRebalance NONE consumer [A-1 A/127.0.0.1=-]
  > sync A member=A-1 assign=A-1:a
    log: group g generation 1 consumer range leader A-1 [A-1=a]
    A: assigned a
  > join P v=0 group=p
    log: group p generation 0
  > join E group=e
    log: group e generation 0
    E: MEMBER_ID_REQUIRED id E-1
`

describe('DescribeGroups', () => {
  scenario(
    'shows state, protocol and members; "Dead" is a group that does not exist (G76)',
    `${groups}
      > describe X g s p e none
        X: g Stable NONE consumer range [A-1 A/127.0.0.1=a]
        X: s Empty NONE
        X: p PreparingRebalance NONE consumer [P-1 P/127.0.0.1=-]
        X: e Empty NONE
        X: none Dead NONE
      > describe X none v=6
        X: none Dead GROUP_ID_NOT_FOUND
    `,
  )
})

describe('ListGroups', () => {
  scenario(
    'filters by state and type, whatever the case',
    `${groups}
      > list X
        X: s Empty classic, g Stable consumer classic, p PreparingRebalance consumer classic, e Empty classic
      > list X states=empty
        X: s Empty classic, e Empty classic
      > list X states=STABLE,PreparingRebalance
        X: g Stable consumer classic, p PreparingRebalance consumer classic
      > list X states=Dead
        X: none
      > list X types=Classic states=stable
        X: g Stable consumer classic
      > list X types=consumer
        X: none
      > list X types=consumer,classic states=stable
        X: g Stable consumer classic
    `,
  )
})

describe('DeleteGroups', () => {
  scenario(
    'deletes empty groups with their offsets, nothing else',
    `${groups}
      > delete X g p none s e
        log: offset s t-0 gone
        log: group s gone
        log: group e gone
        X: g NON_EMPTY_GROUP
        X: p NON_EMPTY_GROUP
        X: none GROUP_ID_NOT_FOUND
        X: s NONE
        X: e NONE
      > fetch X t-0 group=s
        X: t-0 at -1
      > delete X s
        X: s GROUP_ID_NOT_FOUND
      > join E group=e member=E-1
        E: UNKNOWN_MEMBER_ID id E-1
      > reload
      > state
        g Stable generation 1 leader A-1 [A-1]
        p Empty generation 0
    `,
  )

  scenario(
    'deletes pending transactional offsets too',
    `
      > pending 7 offsets=t-0:5,t-1:6
      > commit X offsets=t-1:1
        log: offset g t-1 = 1
        X: t-1 NONE
      > delete X g
        log: offset g t-1 gone
        log: offset g t-0 gone
        log: group g gone
        X: g NONE
      > marker 7 commit
      > fetch X t-0:0 t-1:0
        X: t-0 at -1
        X: t-1 at -1
    `,
  )
})
