// How fast connections come, measured and throttled as Kafka does: the events of the last samples over the time they span.
// Kafka: Rate.java, SampledStat.java, QuotaUtils.java (boundedThrottleTime).

export interface RateOptions {
  /** quota.window.num */
  readonly samples: number
  /** quota.window.size.seconds, in ms: the length of one sample. */
  readonly windowMs: number
}

interface Sample {
  start: number
  last: number
  events: number
}

export class ConnectionRate {
  readonly #o: RateOptions
  /** One more than is measured: the oldest may lie in the time measured with a part of itself. */
  readonly #samples: Sample[] = []
  #current = 0

  constructor(options: RateOptions) {
    this.#o = options
  }

  /** Counts one connection at `now` (ms). @returns how long it has to wait, at most one window, for a limit per second */
  record(now: number, perSecond: number): number {
    this.#sampleAt(now).events++
    const spanMs = this.#spanMs(now)
    const events = this.#samples.reduce((sum, sample) => sum + sample.events, 0)
    const rate = (events * 1000) / spanMs
    if (rate <= perSecond) return 0
    return Math.min(Math.round(((rate - perSecond) / perSecond) * spanMs), this.#o.windowMs)
  }

  #sampleAt(now: number): Sample {
    const { samples, windowMs } = this.#o
    let sample = this.#samples[this.#current]
    if (sample !== undefined && now - sample.start >= windowMs) {
      this.#current = (this.#current + 1) % (samples + 1)
      sample = this.#samples[this.#current]
      if (sample !== undefined) begin(sample, now)
    }
    sample ??= this.#samples[this.#current] = begin({ start: now, last: now, events: 0 }, now)
    sample.last = now
    return sample
  }

  /** What the samples span; a young measurement counts as if it had gone on for all but one of them. */
  #spanMs(now: number): number {
    const { samples, windowMs } = this.#o
    for (const sample of this.#samples) if (now - sample.last >= samples * windowMs) begin(sample, now)
    const elapsedMs = now - Math.min(...this.#samples.map(({ start }) => start))
    const missing = Math.max(0, samples - 1 - Math.floor(elapsedMs / windowMs))
    return Math.max(1, elapsedMs + missing * windowMs)
  }
}

function begin(sample: Sample, now: number): Sample {
  sample.start = sample.last = now
  sample.events = 0
  return sample
}
