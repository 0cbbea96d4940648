// What the passing of time and restarts do to transactional ids, and what administrators see of them.
import { describe } from 'vitest'
import { scenario } from './transcript.ts'

describe('time', () => {
  scenario(
    'a transaction beyond its time-out is aborted and its producer fenced',
    `
      > init A timeout=15s
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > wait 10s
      > add A t-1
        log: x Ongoing 1000/0 [t-0 t-1]
        A: NONE
      > wait 10s
        log: x PrepareAbort 1000/1 [t-0 t-1]
        send: abort 1000/1 version 2 [t-0 t-1]
      > written all
        log: x CompleteAbort 1000/1 []
      > commit A
        A: INVALID_TXN_STATE
      > add A t-0
        A: PRODUCER_FENCED
      > init A again=yes
        log: x Empty 1000/1 []
        A: 1000/1
      > init B
        log: x Empty 1000/2 []
        B: 1000/2
      > init A again=yes
        A: PRODUCER_FENCED
      > wait 1h
    `,
  )

  scenario(
    'at the last epoch the time-out brings a new id',
    `
      > init A timeout=1s
        log: x Empty 1000/0 []
        A: 1000/0
      > epoch 32766
      > add A t-0
        log: x Ongoing 1000/32766 [t-0]
        A: NONE
      > wait 10s
        log: x PrepareAbort 1000/32767 next 1001 [t-0]
        send: abort 1000/32767 version 2 [t-0]
      > written all
        log: x CompleteAbort 1001/0 []
    `,
  )

  scenario(
    'ids that nobody used are forgotten, those at work are not',
    `
      > init A id=a
        log: a Empty 1000/0 []
        A: 1000/0
      > init B id=b timeout=900s
        log: b Empty 1001/0 []
        B: 1001/0
      > wait 30m
      > add A t-0 id=a
        log: a Ongoing 1000/0 [t-0]
        A: NONE
      > commit A id=a
        log: a PrepareCommit 1000/1 [t-0]
        A: 1000/1
        send: commit 1000/1 version 2 [t-0]
      > wait 30m
        log: b forgotten
      > state
        a: PrepareCommit 1000/1 [t-0]
      > written all
        log: a CompleteCommit 1000/1 []
      > wait 59m
      > wait 1m
        log: a forgotten
      > wait 1h
      > init B id=b
        log: b Empty 1002/0 []
        B: 1002/0
    `,
    { config: { 'transactional.id.expiration.ms': 3_600_000 } },
  )
})

describe('a restart', () => {
  scenario(
    'goes on exactly there, in every state',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > reload
      > add A t-0 t-1
        log: x Ongoing 1000/0 [t-0 t-1]
        A: NONE
      > reload
      > state
        x: Ongoing 1000/0 [t-0 t-1]
      > abort A
        log: x PrepareAbort 1000/1 [t-0 t-1]
        A: 1000/1
        send: abort 1000/1 version 2 [t-0 t-1]
      > written t-0
      > reload
        send: abort 1000/1 version 2 [t-0 t-1]
      > written t-0
      > state
        x: PrepareAbort 1000/1 [t-1]
      > written t-1
        log: x CompleteAbort 1000/1 []
      > written all
      > reload
      > abort A epoch=0
        A: 1000/1
      > add A t-0
        log: x Ongoing 1000/1 [t-0]
        A: NONE
      > wait 5s
      > reload
      > wait 70s
        log: x PrepareAbort 1000/2 [t-0]
        send: abort 1000/2 version 2 [t-0]
    `,
  )

  scenario(
    'in version 0 of the log forgets what only version 1 keeps',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > commit A
        log: x PrepareCommit 1000/0 [t-0]
        A: NONE
        send: commit 1000/0 version 0 [t-0]
      > reload
        send: commit 1000/0 version 0 [t-0]
      > written all
        log: x CompleteCommit 1000/0 []
    `,
    { version: 0 },
  )
})

describe('DescribeTransactions and ListTransactions', () => {
  scenario(
    'tell of one id and of those that pass every filter',
    `
      > describe D
        D: TRANSACTIONAL_ID_NOT_FOUND
      > init A id=a1
        log: a1 Empty 1000/0 []
        A: 1000/0
      > init B id=b1
        log: b1 Empty 1001/0 []
        B: 1001/0
      > add A t-0 id=a1
        log: a1 Ongoing 1000/0 [t-0]
        A: NONE
      > wait 5s
      > describe D id=a1
        D: Ongoing 1000/0 [t-0]
      > list L
        L: a1 1000 Ongoing
        L: b1 1001 Empty
      > list L states=Ongoing
        L: a1 1000 Ongoing
      > list L states=PrepareCommit
      > list L pids=1001
        L: b1 1001 Empty
      > list L longer=4s states=Ongoing
        L: a1 1000 Ongoing
      > list L longer=5s states=Ongoing
      > list L matches=b
        L: b1 1001 Empty
    `,
  )
})
