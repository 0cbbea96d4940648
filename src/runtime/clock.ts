// Time as an argument: everything that needs the time gets a Clock, so that tests can run under a virtual one.

export interface Clock {
  /** Wall-clock time in milliseconds since 1970, as in Kafka's timestamps. May jump. */
  now(): number
  /** Milliseconds since an arbitrary moment; never goes back. For deadlines and durations. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

/** A moment in a name: 20261124T153000Z. */
export const stampOf = (now: number): string => new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')
