// Loaded into the measured broker with --require: on SIGUSR2 it writes how late timers came since the last time, in ms.
const { renameSync, writeFileSync } = require('node:fs')
const { monitorEventLoopDelay } = require('node:perf_hooks')

const RESOLUTION_MS = 5
const file = process.env.BENCH_EVENT_LOOP_FILE
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
histogram.enable()
process.on('SIGUSR2', () => {
  // The histogram holds the time between two ticks, so the tick itself is taken off.
  const late = ns => Math.max(0, ns / 1e6 - RESOLUTION_MS)
  const text = JSON.stringify({ p99Ms: late(histogram.percentile(99)), maxMs: late(histogram.max) })
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
  histogram.reset()
})
