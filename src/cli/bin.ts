#!/usr/bin/env node
// The executable: the command line on this process.

import { createBroker } from '../index.ts'
import { systemClock } from '../runtime/clock.ts'
import { readText } from '../runtime/read-text.ts'
import { jsonLogger } from './logger.ts'
import { run } from './main.ts'

/** Whoever reads the output may have seen enough and left: then it is done. */
function drained(): Promise<void> {
  if (process.stdout.listenerCount('error') === 0) process.stdout.once('error', () => process.exit(0))
  return new Promise(resolve => process.stdout.write('', () => resolve()))
}

void run(process.argv.slice(2), {
  environment: process.env,
  terminal: process.stdout.isTTY,
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  drained,
  errTerminal: process.stderr.isTTY,
  now: () => systemClock.now(),
  readText,
  readInput: async () => Buffer.concat(await process.stdin.toArray()).toString(),
  createBroker,
  jsonLogger,
  onSignal: stop => {
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  },
  exit: code => process.exit(code),
})
