// Waiting with a deadline, which is all that scenarios ever wait with: for a promise, or for a condition to come true.

/** The promise's value, or an error that names what did not come in time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Asks again until the answer is neither false, null nor undefined. A question that throws is asked again too, and its
 * last error is part of the reason when time is up.
 */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  { ms = 10_000, everyMs = 20 } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + ms
  let reason = ''
  for (;;) {
    try {
      const answer = await within(Math.max(1, deadline - performance.now()), what, Promise.resolve(ask()))
      if (answer !== false && answer !== null && answer !== undefined) return answer as NonNullable<Exclude<T, false>>
    } catch (error) {
      reason = `: ${(error as Error).message}`
    }
    if (performance.now() >= deadline) throw new Error(`${what}: not within ${ms} ms${reason}`)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}

/** A promise with its own resolve, for events of clients. */
export function signal<T = void>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: Error) => void
} {
  let resolve!: (value: T) => void
  let reject!: (error: Error) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
