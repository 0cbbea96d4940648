#!/usr/bin/env node
// The executable: the command line on this process.

import { createBroker } from '../index.ts'
import { readText } from '../runtime/read-text.ts'
import { jsonLogger } from './logger.ts'
import { run } from './main.ts'

void run(process.argv.slice(2), {
  environment: process.env,
  terminal: process.stdout.isTTY,
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
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
