// How a producer gets its epoch, whom that fences, and how partitions join a transaction.
import { describe } from 'vitest'
import { scenario } from './transcript.ts'

describe('InitProducerId', () => {
  scenario(
    'fences the producer before, aborts what it left open, and the caller asks again',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > init B
        log: x PrepareAbort 1000/1 [t-0]
        B: CONCURRENT_TRANSACTIONS
        send: abort 1000/1 version 2 [t-0]
      > written all
        log: x CompleteAbort 1000/1 []
      > init B
        log: x Empty 1000/2 []
        B: 1000/2
      > add A t-0
        A: PRODUCER_FENCED
      > commit A
        A: PRODUCER_FENCED
      > init A again=yes
        A: PRODUCER_FENCED
      > add B t-0
        log: x Ongoing 1000/2 [t-0]
        B: NONE
    `,
  )

  scenario(
    'fences the same way in version 1, by one epoch',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > init B
        log: x PrepareAbort 1000/1 [t-0]
        B: CONCURRENT_TRANSACTIONS
        send: abort 1000/1 version 0 [t-0]
      > written all
        log: x CompleteAbort 1000/1 []
      > init B
        log: x Empty 1000/2 []
        B: 1000/2
    `,
    { version: 1 },
  )

  scenario(
    'with an id and epoch bumps the epoch, and gives the same again to a retry (KIP-360)',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > init A pid=1000 epoch=0
        log: x Empty 1000/1 []
        A: 1000/1
      > init A pid=1000 epoch=0
        log: x Empty 1000/1 []
        A: 1000/1
      > init A pid=1000 epoch=5
        A: PRODUCER_FENCED
      > init A pid=999 epoch=0
        A: PRODUCER_FENCED
      > init B
        log: x Empty 1000/2 []
        B: 1000/2
      > init A pid=1000 epoch=1
        A: PRODUCER_FENCED
    `,
  )

  scenario(
    'of an id that is not known begins anew, whatever the producer expects',
    `
      > init A pid=77 epoch=3
        log: x Empty 1000/0 []
        A: 1000/0
    `,
  )

  scenario(
    'gives another id when epochs have run out, to a retry the same',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > epoch 32766
      > init A pid=1000 epoch=32766
        log: x Empty 1001/0 []
        A: 1001/0
      > init A pid=1000 epoch=32766
        log: x Empty 1001/0 []
        A: 1001/0
      > init A pid=1000 epoch=3
        A: PRODUCER_FENCED
      > epoch 32766
      > init B pid=1001 epoch=1
        B: PRODUCER_FENCED
      > init B
        log: x Empty 1002/0 []
        B: 1002/0
    `,
  )

  scenario(
    'fences with the last epoch there is, and gives another id then',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > epoch 32766
      > add A t-0
        log: x Ongoing 1000/32766 [t-0]
        A: NONE
      > init B
        log: x PrepareAbort 1000/32767 next 1001 [t-0]
        B: CONCURRENT_TRANSACTIONS
        send: abort 1000/32767 version 2 [t-0]
      > written all
        log: x CompleteAbort 1001/0 []
      > init B
        log: x Empty 1001/1 []
        B: 1001/1
    `,
  )
})

describe('AddPartitionsToTxn', () => {
  scenario(
    'knows the producer or refuses',
    `
      > add A t-0 pid=1 epoch=0
        A: INVALID_PRODUCER_ID_MAPPING
      > verify A t-0 pid=1 epoch=0
        A: INVALID_PRODUCER_ID_MAPPING
      > commit A pid=1 epoch=0
        A: INVALID_PRODUCER_ID_MAPPING
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0 pid=1
        A: INVALID_PRODUCER_ID_MAPPING
      > add A t-0 epoch=1
        A: PRODUCER_FENCED
      > verify A t-0
        A: TRANSACTION_ABORTABLE
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > verify A t-0 t-1
        A: NONE TRANSACTION_ABORTABLE
      > verify A t-0 pid=1
        A: INVALID_PRODUCER_ID_MAPPING
      > verify A t-0 epoch=1
        A: PRODUCER_FENCED
    `,
  )
})
