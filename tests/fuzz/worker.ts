// Runs cases one after the other, and says in shared memory which one it is at, so that a hang or a crash names its case.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { randomOf } from './random.ts'
import { ready } from './records.ts'
import { chooseTarget, targets } from './targets.ts'

export interface Job {
  readonly seed: number
  readonly from: number
  readonly only: string | null
  /** Index of the case that runs, a word that is not 0 when the worker is to stop, then cases that held, by target. */
  readonly progress: SharedArrayBuffer
}
export interface Failure {
  readonly index: number
  readonly what: string
}

setFlagsFromString('--expose-gc')
;(globalThis as { gc?: unknown }).gc = runInNewContext('gc')

/** One case in so many has its memory measured: it needs two collections. */
const MEASURED = 400

// Refusals are many, and where they come from matters little.
Error.stackTraceLimit = 5

const { seed, from, only, progress } = workerData as Job
const shared = new Int32Array(progress)
const port = parentPort!

await ready()
let index = from
for (; Atomics.load(shared, 1) === 0; index++) {
  Atomics.store(shared, 0, index)
  const random = randomOf(seed, index)
  const target = targets.find(({ name }) => name === only) ?? chooseTarget(random)
  try {
    const result = target.run(target.generate(random), index % MEASURED === 0)
    if (result) await result
    Atomics.add(shared, 2 + targets.indexOf(target), 1)
  } catch (error) {
    port.postMessage({
      index,
      what: error instanceof Error ? (error.stack ?? error.message) : String(error),
    } satisfies Failure)
  }
}
port.close()
