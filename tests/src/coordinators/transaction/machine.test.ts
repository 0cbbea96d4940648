// Every state and transition of a transactional id, with clients of transaction.version 2 and of the versions before.
import { describe, expect, test } from 'vitest'
import { scenario } from './transcript.ts'
import {
  newTransaction,
  transition,
  TRANSITIONS,
  type LastingState,
} from '../../../../src/coordinators/transaction/state.ts'

describe('transitions', () => {
  const states = Object.keys(TRANSITIONS).filter(state => state !== 'Dead') as LastingState[]
  const at = (state: LastingState) => ({ ...newTransaction(1, 0), state, producerEpoch: 5 })

  test.each(states)('to %s only from where the table says', to => {
    for (const from of states) {
      const step = () => transition(at(from), to, 1, {})
      if (TRANSITIONS[to].includes(from)) expect(step().state).toBe(to)
      else expect(step).toThrow(`${from} to ${to}`)
    }
  })

  test('an id begins empty, its epoch goes up by one at most', () => {
    expect(() => transition(newTransaction(1, 0), 'Ongoing', 1, { producerEpoch: 0 })).toThrow('to Ongoing')
    expect(() => transition(at('Empty'), 'Empty', 1, { producerEpoch: 7 })).toThrow('epoch 5')
    expect(() => transition(at('Empty'), 'Empty', 1, { producerEpoch: 4 })).toThrow('epoch 5')
    expect(() => transition(at('Empty'), 'Empty', 1, { producerId: 2, producerEpoch: 1 })).toThrow('epoch 5')
  })
})

describe('version 2', () => {
  scenario(
    'a transaction is committed, the next one aborted; each end raises the epoch',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > add A t-0
        A: NONE
      > add A t-1 u-0
        log: x Ongoing 1000/0 [t-0 t-1 u-0]
        A: NONE
      > commit A
        log: x PrepareCommit 1000/1 [t-0 t-1 u-0]
        A: 1000/1
        send: commit 1000/1 version 2 [t-0 t-1 u-0]
      > written all
        log: x CompleteCommit 1000/1 []
      > add A t-0
        log: x Ongoing 1000/1 [t-0]
        A: NONE
      > abort A
        log: x PrepareAbort 1000/2 [t-0]
        A: 1000/2
        send: abort 1000/2 version 2 [t-0]
      > written all
        log: x CompleteAbort 1000/2 []
    `,
  )

  scenario(
    'while markers are being written everything about the producer has to wait',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0 t-1
        log: x Ongoing 1000/0 [t-0 t-1]
        A: NONE
      > commit A
        log: x PrepareCommit 1000/1 [t-0 t-1]
        A: 1000/1
        send: commit 1000/1 version 2 [t-0 t-1]
      > add A t-0
        A: CONCURRENT_TRANSACTIONS
      > add B t-0 pid=9 epoch=0
        B: CONCURRENT_TRANSACTIONS
      > verify A t-0
        A: CONCURRENT_TRANSACTIONS
      > commit A epoch=0
        A: CONCURRENT_TRANSACTIONS
      > abort A
        A: CONCURRENT_TRANSACTIONS
      > init B
        B: CONCURRENT_TRANSACTIONS
      > written t-1 failed=t-0
      > state
        x: PrepareCommit 1000/1 [t-0]
      > wait 99ms
      > wait 1ms
        send: commit 1000/1 version 2 [t-0]
      > written all
        log: x CompleteCommit 1000/1 []
      > init B
        log: x Empty 1000/2 []
        B: 1000/2
    `,
  )

  scenario(
    'a retried end is told from the next one by its epoch (Empty, CompleteCommit, CompleteAbort)',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > commit A
        A: INVALID_TXN_STATE
      > abort A epoch=-1
        A: PRODUCER_FENCED
      > abort A
        log: x PrepareAbort 1000/1 []
        log: x CompleteAbort 1000/1 []
        A: 1000/1
      > abort A epoch=0
        A: 1000/1
      > commit A epoch=0
        A: INVALID_TXN_STATE
      > commit A
        A: INVALID_TXN_STATE
      > abort A
        log: x PrepareAbort 1000/2 []
        log: x CompleteAbort 1000/2 []
        A: 1000/2
      > add A t-0
        log: x Ongoing 1000/2 [t-0]
        A: NONE
      > commit A epoch=1
        A: PRODUCER_FENCED
      > commit A
        log: x PrepareCommit 1000/3 [t-0]
        A: 1000/3
        send: commit 1000/3 version 2 [t-0]
      > written all
        log: x CompleteCommit 1000/3 []
      > commit A epoch=2
        A: 1000/3
      > abort A epoch=2
        A: INVALID_TXN_STATE
      > commit A
        A: INVALID_TXN_STATE
      > commit A pid=7
        A: INVALID_PRODUCER_ID_MAPPING
      > abort A
        log: x PrepareAbort 1000/4 []
        log: x CompleteAbort 1000/4 []
        A: 1000/4
    `,
  )

  scenario(
    'a late EndTxn or AddPartitions of an earlier transaction never reaches the next one (KAFKA-17754)',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > abort A
        log: x PrepareAbort 1000/1 [t-0]
        A: 1000/1
        send: abort 1000/1 version 2 [t-0]
      > written all
        log: x CompleteAbort 1000/1 []
      > add A t-1
        log: x Ongoing 1000/1 [t-1]
        A: NONE
      > abort A epoch=0
        A: PRODUCER_FENCED
      > commit A epoch=0
        A: PRODUCER_FENCED
      > add A t-9 epoch=0
        A: PRODUCER_FENCED
      > verify A t-0 epoch=0
        A: PRODUCER_FENCED
      > state
        x: Ongoing 1000/1 [t-1]
    `,
  )

  scenario(
    'a zombie that sends an end gets no epoch of the producer of version 1 that fenced it',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > init B
        log: x Empty 1000/1 []
        B: 1000/1
      > add B t-0 tv=1
        log: x Ongoing 1000/1 [t-0]
        B: NONE
      > abort B tv=1
        log: x PrepareAbort 1000/1 [t-0]
        B: NONE
        send: abort 1000/1 version 0 [t-0]
      > written all
        log: x CompleteAbort 1000/1 []
      > abort A
        A: PRODUCER_FENCED
      > reload
      > abort A
        A: PRODUCER_FENCED
      > add B t-0 tv=1
        log: x Ongoing 1000/1 [t-0]
        B: NONE
      > commit B tv=1
        log: x PrepareCommit 1000/1 [t-0]
        B: NONE
        send: commit 1000/1 version 0 [t-0]
      > written all
        log: x CompleteCommit 1000/1 []
      > commit A
        A: PRODUCER_FENCED
    `,
  )

  scenario(
    'when epochs run out the end of a transaction gives a new id, and a retry of that end gives it again',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > epoch 32766
      > add A t-0
        log: x Ongoing 1000/32766 [t-0]
        A: NONE
      > commit A
        log: x PrepareCommit 1000/32767 next 1001 [t-0]
        A: 1001/0
        send: commit 1000/32767 version 2 [t-0]
      > reload
        send: commit 1000/32767 version 2 [t-0]
      > add A t-0
        A: CONCURRENT_TRANSACTIONS
      > written all
        log: x CompleteCommit 1001/0 []
      > commit A pid=1000 epoch=32766
        A: 1001/0
      > reload
      > commit A pid=1000 epoch=32766
        A: 1001/0
      > add A t-0
        log: x Ongoing 1001/0 [t-0]
        A: NONE
    `,
  )
})

describe('versions 0 and 1', () => {
  scenario(
    'the epoch stays; a repeated end is answered as the first, any other is invalid',
    `
      > init A
        log: x Empty 1000/0 []
        A: 1000/0
      > commit A
        A: INVALID_TXN_STATE
      > abort A
        A: INVALID_TXN_STATE
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > commit A pid=9
        A: INVALID_PRODUCER_ID_MAPPING
      > commit A epoch=1
        A: PRODUCER_FENCED
      > commit A
        log: x PrepareCommit 1000/0 [t-0]
        A: NONE
        send: commit 1000/0 version 0 [t-0]
      > commit A
        A: CONCURRENT_TRANSACTIONS
      > written all
        log: x CompleteCommit 1000/0 []
      > commit A
        A: NONE
      > abort A
        A: INVALID_TXN_STATE
      > add A t-0
        log: x Ongoing 1000/0 [t-0]
        A: NONE
      > abort A
        log: x PrepareAbort 1000/0 [t-0]
        A: NONE
        send: abort 1000/0 version 0 [t-0]
      > written all
        log: x CompleteAbort 1000/0 []
      > abort A
        A: NONE
      > commit A
        A: INVALID_TXN_STATE
    `,
    { version: 0 },
  )

  scenario(
    'a late EndTxn of an earlier transaction ends the next one, as in Kafka (KAFKA-17754)',
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
      > written all
        log: x CompleteCommit 1000/0 []
      > add A t-1
        log: x Ongoing 1000/0 [t-1]
        A: NONE
      > commit A
        log: x PrepareCommit 1000/0 [t-1]
        A: NONE
        send: commit 1000/0 version 0 [t-1]
    `,
    { version: 1 },
  )
})
