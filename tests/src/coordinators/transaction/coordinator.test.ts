// What the coordinator answers while a partition of __transaction_state is being read back, and when it is not its own.
import { beforeEach, expect, test } from 'vitest'
import {
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  INVALID_PRODUCER_ID_MAPPING,
  NONE,
  NOT_COORDINATOR,
} from '../../../../protocol/errors.ts'
import { TransactionCoordinator } from '../../../../src/coordinators/transaction/coordinator.ts'
import { virtualRuntime } from '../../../../src/runtime/index.ts'
import { MemoryLog } from '../memory-log.ts'
import { defaultConfig } from './transcript.ts'

let runtime = virtualRuntime()
let log = new MemoryLog()
let coordinator: TransactionCoordinator

beforeEach(() => {
  runtime = virtualRuntime()
  log = new MemoryLog()
  coordinator = new TransactionCoordinator({
    config: defaultConfig,
    runtime,
    partitions: () => 1,
    log: () => log,
    newProducerId: () => Promise.resolve(1000),
    version: () => 2,
    writeMarkers: (_, partitions) => Promise.resolve(partitions.map(() => NONE)),
  })
})

/** The error codes of every request that asks for a transactional id, by name; then that of a list. */
async function answers(): Promise<Record<string, number>> {
  const transactionalId = 'x'
  const producer = { transactionalId, producerId: 1, producerEpoch: 0 }
  const partitions = [{ topic: 't', partition: 0 }]
  const clientTransactionVersion = 2
  const init = { ...producer, producerId: -1, producerEpoch: -1, transactionTimeoutMs: 1000 }
  const twoPhase = { enable2Pc: false, keepPreparedTxn: false }
  const list = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null }
  return {
    init: (await coordinator.initProducerId({ ...init, ...twoPhase })).errorCode,
    add: await coordinator.addPartitions({ ...producer, partitions, clientTransactionVersion }),
    verify: (await coordinator.verifyPartitions({ ...producer, partitions }))[0]!,
    end: (await coordinator.endTransaction({ ...producer, commit: true, clientTransactionVersion })).errorCode,
    describe: (await coordinator.describe(transactionalId)).errorCode,
    list: (await coordinator.list(list)).errorCode,
  }
}

const all = (code: number) => ({ init: code, add: code, verify: code, end: code, describe: code, list: code })

test('while a partition is read back, everybody is told so', async () => {
  for (let i = 0; i < 1001; i++) log.store({})
  log.committed = log.end
  const loaded = coordinator.onElected(0, 1)
  await new Promise(resolve => setImmediate(resolve))
  expect(await answers()).toEqual(all(COORDINATOR_LOAD_IN_PROGRESS))
  await runtime.settle()
  await loaded
  expect(await answers()).toMatchObject({ init: NONE, add: INVALID_PRODUCER_ID_MAPPING, list: NONE })
})

test('who does not lead the partition, or is closed, has no coordinator; a list is of what there is', async () => {
  expect(await answers()).toEqual({ ...all(NOT_COORDINATOR), list: NONE })
  await coordinator.onElected(0, 1)
  coordinator.onResigned(0)
  expect(await answers()).toEqual({ ...all(NOT_COORDINATOR), list: NONE })
  coordinator.close()
  expect(await answers()).toEqual(all(COORDINATOR_NOT_AVAILABLE))
})
