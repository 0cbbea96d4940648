// Threads for work that keeps a processor busy: what a command asks of them, and what they answer.
import { availableParallelism } from 'node:os'
import { parentPort, Worker, workerData } from 'node:worker_threads'

export interface WorkerHandle<Question, Answer> {
  ask(question: Question): void
  /** Called for every answer; `failed` once, if the thread dies. */
  listen(answered: (answer: Answer) => void, failed: (error: Error) => void): void
  stop(): Promise<void>
}

/** How many threads are worth starting. */
export const processors = (): number => availableParallelism()

export function startWorker<Question, Answer>(file: string, data: unknown): WorkerHandle<Question, Answer> {
  const worker = new Worker(file, { workerData: data })
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    ask: question => worker.postMessage(question),
    listen(answered, failed) {
      worker.on('message', answered)
      worker.on('error', failed)
    },
    async stop() {
      await worker.terminate()
    },
  }
}

/** In the thread itself: what it was started with, and how it hears and answers. */
export function insideWorker<Data, Question, Answer>(
  heard: (question: Question, answer: (answer: Answer) => void) => void,
): Data {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- as above
  const answer = (value: Answer): void => parentPort?.postMessage(value)
  parentPort?.on('message', (question: Question) => heard(question, answer))
  return workerData as Data
}
