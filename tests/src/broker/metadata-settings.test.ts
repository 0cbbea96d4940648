// Settings of the metadata log: snapshots, segments, and what retention leaves, each by what is done with it and without.
import { expect, test } from 'vitest'
import type { Files } from '../../../storage/files.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { metadataLogSettings } from '../../../src/broker/metadata-settings.ts'
import { parse } from '../../../src/config/index.ts'
import { testBroker, type TestBroker } from './harness.ts'

const FOLDER = '__cluster_metadata-0'
const named = (files: Files, pattern: RegExp): string[] => files.list(FOLDER).filter(name => pattern.test(name))
const snapshots = (files: Files): number => named(files, /^\d{20}-\d{10}\.checkpoint$/).length
const segments = (files: Files): number => named(files, /^\d{20}\.log$/).length
const deleted = (files: Files): number => named(files, /\.deleted$/).length

async function work(broker: TestBroker, ms: number, from = 0): Promise<void> {
  for (let n = 0; n < 20; n++) {
    // oxlint-disable no-await-in-loop -- one after the other
    await broker.createTopic(`t${from + n}`)
    await broker.runtime.settle()
    // oxlint-enable no-await-in-loop
  }
  await broker.runtime.advanceAsync(ms)
}

/** What is told of the files after so long a time with twenty topics. */
const worked =
  (ms: number, told: (files: Files) => unknown) =>
  async (broker: TestBroker, files: Files): Promise<unknown> => {
    await work(broker, ms)
    return told(files)
  }
const areSeveral = (files: Files): boolean[] => [snapshots(files) > 1, segments(files) > 1]

interface Case {
  readonly key: string
  readonly value: number
  readonly beside?: Record<string, number>
  readonly probe: (broker: TestBroker, files: Files) => Promise<unknown>
  readonly without: unknown
  readonly with: unknown
}

const SMALL = { 'internal.metadata.log.segment.bytes': 1000 }
const SNAPSHOTS = { 'metadata.log.max.record.bytes.between.snapshots': 500 }

const cases: readonly Case[] = [
  {
    key: 'metadata.log.max.record.bytes.between.snapshots',
    value: 500,
    probe: worked(100, files => snapshots(files) > 0),
    without: false,
    with: true,
  },
  {
    key: 'metadata.log.max.snapshot.interval.ms',
    value: 1000,
    probe: worked(70_000, files => snapshots(files) > 0),
    without: false,
    with: true,
  },
  {
    key: 'internal.metadata.log.segment.bytes',
    value: 1000,
    probe: worked(100, files => segments(files) > 1),
    without: false,
    with: true,
  },
  {
    key: 'metadata.log.segment.ms',
    value: 50_000,
    probe: async (broker, files) => {
      await work(broker, 70_000)
      await work(broker, 70_000, 100)
      return segments(files) > 1
    },
    without: false,
    with: true,
  },
  {
    key: 'metadata.max.retention.bytes',
    value: 1,
    beside: { ...SMALL, ...SNAPSHOTS },
    probe: worked(70_000, areSeveral),
    without: [true, true],
    with: [false, false],
  },
  {
    key: 'metadata.max.retention.ms',
    value: 1000,
    beside: { ...SMALL, ...SNAPSHOTS },
    probe: worked(70_000, areSeveral),
    without: [true, true],
    with: [false, false],
  },
  {
    key: 'internal.metadata.delete.delay.millis',
    value: 500_000,
    beside: { ...SMALL, ...SNAPSHOTS, 'metadata.max.retention.bytes': 1 },
    probe: async (broker, files) => {
      await work(broker, 100)
      const before = deleted(files)
      await broker.runtime.advanceAsync(200_000)
      return [before > 0, deleted(files) > 0]
    },
    without: [true, false],
    with: [true, true],
  },
]

test.each(cases)('$key', async ({ key, value, beside = {}, probe, ...expected }) => {
  for (const [config, outcome] of [
    [beside, expected.without],
    [{ ...beside, [key]: value }, expected.with],
  ] as const) {
    const files = memoryFiles()
    // oxlint-disable no-await-in-loop -- one after the other
    const broker = await testBroker({ files, config })
    expect([config, await probe(broker, files)]).toEqual([config, outcome])
    const closing = broker.opened.close()
    // A snapshot that is being written takes turns.
    await broker.runtime.settle()
    await closing
    // oxlint-enable no-await-in-loop
  }
})

test('metadata.log.segment.bytes, too large for a test, is what internal.metadata.log.segment.bytes stands in for', () => {
  const bytes = (flags: Record<string, number>) => metadataLogSettings(parse({ flags })).segmentBytes
  expect(bytes({ 'metadata.log.segment.bytes': 9_000_000 })).toBe(9_000_000)
  expect(bytes({ 'metadata.log.segment.bytes': 9_000_000, ...SMALL })).toBe(1000)
})
