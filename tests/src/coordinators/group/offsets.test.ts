// OffsetCommit and OffsetFetch, expiry, deleted topics, offsets in transactions.
import { describe, expect, it } from 'vitest'
import { scenario, transcript } from './transcript.ts'

const joined = `
  > join A v=0
    log: group g generation 0
  > wait 0s
    A: joined generation 1 as A-1 leader A-1 range [A-1]
`
const stable = `${joined}
  > sync A member=A-1
    log: group g generation 1 consumer range leader A-1 [A-1=-]
    A: assigned -
`

describe('OffsetCommit', () => {
  scenario(
    'without a generation makes a simple group; metadata and epoch come back unchanged (G72)',
    `
      > commit X offsets=t-0:5,u-1:7 meta=note epoch=3
        log: offset g t-0 = 5 "note"
        log: offset g u-1 = 7 "note"
        X: t-0 NONE
        X: u-1 NONE
      > fetch X t-0 u-1 t-1
        X: t-0 at 5 epoch 3 "note"
        X: u-1 at 7 epoch 3 "note"
        X: t-1 at -1
      > commit X offsets=t-0:4 meta=null
        log: offset g t-0 = 4
        X: t-0 NONE
      > reload
      > fetch X all
        X: t-0 at 4
        X: u-1 at 7 epoch 3 "note"
      > state
        g Empty generation 0
    `,
  )

  scenario(
    'with a generation to a group that does not exist is refused',
    `
      > commit X gen=1 member=A-1 offsets=t-0:5 v=8
        X: ILLEGAL_GENERATION
      > commit X gen=1 member=A-1 offsets=t-0:5 v=9
        X: GROUP_ID_NOT_FOUND
      > state
    `,
  )

  scenario(
    'checks the membership once the group has members',
    `${stable}
      > commit A gen=1 member=A-1 offsets=t-0:5
        log: offset g t-0 = 5
        A: t-0 NONE
      > commit X offsets=t-0:6
        X: UNKNOWN_MEMBER_ID
      > commit X member=X-1 gen=1 offsets=t-0:6
        X: UNKNOWN_MEMBER_ID
      > commit A member=A-1 gen=2 offsets=t-0:6
        A: ILLEGAL_GENERATION
      > commit A member=A-1 gen=-1 offsets=t-0:6
        A: ILLEGAL_GENERATION
      > commit A member=A-1 gen=1 instance=i offsets=t-0:6
        A: UNKNOWN_MEMBER_ID
      > fetch A t-0
        A: t-0 at 5
    `,
  )

  scenario(
    'waits while partitions are being assigned, and is free again when the group is empty',
    `${joined}
      > commit A gen=1 member=A-1 offsets=t-0:5
        A: REBALANCE_IN_PROGRESS
      > leave A A-1
        log: group g generation 2 consumer
        A: A-1 left NONE
      > commit X offsets=t-0:6
        log: offset g t-0 = 6
        X: t-0 NONE
      > commit A gen=2 member=A-1 offsets=t-0:7
        A: UNKNOWN_MEMBER_ID
    `,
  )

  scenario(
    'refuses long metadata partition by partition',
    `
      > commit X offsets=t-0:5 repeat=11
        X: t-0 OFFSET_METADATA_TOO_LARGE
      > commit X offsets=t-0:5 repeat=10
        log: offset g t-0 = 5 "xxxxxxxxxx"
        X: t-0 NONE
      `,
    { 'offset.metadata.max.bytes': 10 },
  )
})

describe('OffsetFetch', () => {
  scenario(
    'of an unknown group is no error (G73)',
    `
      > fetch X t-0
        X: t-0 at -1
      > fetch X all
      > fetch X t-0 stable
        X: t-0 at -1
    `,
  )

  scenario(
    'does not give the offset of an earlier topic of that name to who asks by id',
    `
      > commit X offsets=t-0:5 id=one
        log: offset g t-0 = 5#one
        X: t-0 NONE
      > fetch X t-0 id=one
        X: t-0 at 5
      > fetch X t-0 id=two
        X: t-0 at -1
      > fetch X t-0
        X: t-0 at 5
    `,
  )
})

describe('offsets in transactions (KIP-447)', () => {
  scenario(
    'are unstable while it is open, and count once it commits',
    `
      > commit X offsets=t-0:1
        log: offset g t-0 = 1
        X: t-0 NONE
      > pending 7 offsets=t-0:5,t-1:6
      > fetch X t-0 t-1 stable
        X: t-0 UNSTABLE_OFFSET_COMMIT
        X: t-1 UNSTABLE_OFFSET_COMMIT
      > fetch X t-0 t-1
        X: t-0 at 1
        X: t-1 at -1
      > fetch X all stable
        X: t-0 UNSTABLE_OFFSET_COMMIT
      > marker 7 commit
      > fetch X t-0 t-1 stable
        X: t-0 at 5
        X: t-1 at 6
    `,
  )

  scenario(
    'are forgotten if it aborts; another producer may still hold the partition',
    `
      > pending 7 offsets=t-0:5
      > pending 8 offsets=t-0:9
      > marker 7 abort
      > fetch X t-0 stable
        X: t-0 UNSTABLE_OFFSET_COMMIT
      > marker 8 commit
      > fetch X t-0 stable
        X: t-0 at 9
      > marker 8 abort
      > fetch X t-0 stable
        X: t-0 at 9
    `,
  )

  scenario(
    'do not overwrite what was committed later in the log',
    `
      > pending 7 offsets=t-0:5
      > commit X offsets=t-0:8
        log: offset g t-0 = 8
        X: t-0 NONE
      > marker 7 commit
      > fetch X t-0 stable
        X: t-0 at 8
      > reload
      > fetch X t-0 stable
        X: t-0 at 8
    `,
  )
})

describe('expiry', () => {
  const config = { 'offsets.retention.minutes': 60, 'offsets.retention.check.interval.ms': 60_000 }

  scenario(
    'of a simple group counts from each commit; the group ends with its last offset',
    `
      > commit X offsets=t-0:1
        log: offset g t-0 = 1
        X: t-0 NONE
      > wait 30m
      > commit X offsets=t-1:1
        log: offset g t-1 = 1
        X: t-1 NONE
      > wait 30m
        log: offset g t-0 gone
      > wait 30m
        log: offset g t-1 gone
        log: group g gone
      > state
      `,
    config,
  )

  scenario(
    'of a group with members counts for topics that nobody subscribes to',
    `
      > join A v=0 session=30m protocols=range:t
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=-]
        A: assigned -
      > commit A member=A-1 gen=1 offsets=t-0:1,old-0:1
        log: offset g t-0 = 1
        log: offset g old-0 = 1
        A: t-0 NONE
        A: old-0 NONE
      > wait 20m
      > beat A member=A-1
        A: NONE
      > wait 20m
      > beat A member=A-1
        A: NONE
      > wait 20m
        log: offset g old-0 gone
      > fetch A t-0
        A: t-0 at 1
      `,
    config,
  )

  scenario(
    'of an empty group counts from when its last member left',
    `
      > join A v=0 session=30m
        log: group g generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      > sync A member=A-1
        log: group g generation 1 consumer range leader A-1 [A-1=-]
        A: assigned -
      > commit A member=A-1 gen=1 offsets=t-0:1
        log: offset g t-0 = 1
        A: t-0 NONE
      > wait 29m
      > leave A A-1
        log: group g generation 2 consumer
        A: A-1 left NONE
      > wait 59m
      > reload
      > wait 1m
        log: offset g t-0 gone
        log: group g gone
      `,
    config,
  )

  scenario(
    'never comes for members whose subscriptions cannot be read, or of other protocol types',
    `
      > join A v=0 session=30m protocols=own:!x
        log: group g generation 0
      > join C v=0 session=30m group=c type=connect protocols=own:!x
        log: group c generation 0
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 own [A-1]
        C: joined generation 1 as C-1 leader C-1 own [C-1]
      > sync A member=A-1
        log: group g generation 1 consumer own leader A-1 [A-1=-]
        A: assigned -
      > sync C member=C-1 group=c
        log: group c generation 1 connect own leader C-1 [C-1=-]
        C: assigned -
      > commit A member=A-1 gen=1 offsets=t-0:1
        log: offset g t-0 = 1
        A: t-0 NONE
      > commit C member=C-1 gen=1 group=c offsets=t-0:1
        log: offset c t-0 = 1
        C: t-0 NONE
      > wait 25m
      > beat A member=A-1
        A: NONE
      > beat C member=C-1 group=c
        C: NONE
      > wait 25m
      > beat A member=A-1
        A: NONE
      > beat C member=C-1 group=c
        C: NONE
      > wait 25m
      `,
    config,
  )

  scenario(
    'follows the retention that the client chose (OffsetCommit 2-4), also after a restart',
    `
      > commit X offsets=t-0:1 retention=10m v=2
        log: offset g t-0 = 1 expires
        X: t-0 NONE
      > reload
      > wait 10m
        log: offset g t-0 gone
        log: group g gone
      `,
    config,
  )

  scenario(
    'spares offsets in open transactions and members about to join',
    `
      > pending 7 offsets=t-0:5
      > commit X offsets=t-0:1
        log: offset g t-0 = 1
        X: t-0 NONE
      > wait 2h
      > marker 7 abort
      > wait 1m
        log: offset g t-0 gone
        log: group g gone
      > join A session=10m
        log: group g generation 0
        A: MEMBER_ID_REQUIRED id A-1
      > wait 5m
      > join A member=A-1
      > wait 0s
        A: joined generation 1 as A-1 leader A-1 range [A-1]
      `,
    config,
  )
})

describe('deleted topics', () => {
  scenario(
    'take their offsets with them, pending ones too; a topic of the same name with another id keeps its own',
    `
      > commit X offsets=t-0:1,t-1:1 id=one
        log: offset g t-0 = 1#one
        log: offset g t-1 = 1#one
        X: t-0 NONE
        X: t-1 NONE
      > commit X group=h offsets=t-0:1 id=two
        log: offset h t-0 = 1#two
        X: t-0 NONE
      > commit X group=h offsets=u-0:1 id=three
        log: offset h u-0 = 1#three
        X: u-0 NONE
      > pending 7 offsets=t-2:5
      > deleted X t:one
        log: offset g t-0 gone
        log: offset g t-1 gone
        log: offset g t-2 gone
        X: done
      > marker 7 commit
      > fetch X all
      > fetch X all group=h
        X: t-0 at 1
        X: u-0 at 1
    `,
  )

  it('write a tombstone once per partition', () => {
    const world = transcript(`
      > pending 7 offsets=t-0:5
      > pending 8 offsets=t-0:6
      > deleted X t:one
        log: offset g t-0 gone
        X: done
    `)
    expect(world.log).toHaveLength(3)
  })
})
