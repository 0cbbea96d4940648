// What end-to-end tests share: brokers and folders that end with their test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { createBroker, type BrokerOptions, type RunningBroker } from '../../src/index.ts'

// Clients retry and wait on their own clocks; on a busy machine that adds up.
vi.setConfig({ testTimeout: 30_000 })

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'odradek-e2e-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A listening broker, closed after the test at the latest. */
export async function broker(options: BrokerOptions = {}): Promise<RunningBroker> {
  const made = createBroker({ listen: '127.0.0.1:0', ...options })
  onTestFinished(() => made.close())
  await made.listen()
  return made
}

/** Memory, and a folder of its own on disk: both must behave alike. */
export const places: readonly [name: string, options: () => BrokerOptions][] = [
  ['in memory', () => ({})],
  ['on disk', () => ({ dataDir: folder() })],
]
