// The log directories that Apache Kafka wrote (tests/fixtures/kafka-dirs), unpacked into memory, and what its tool printed.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Files } from '../../storage/files.ts'
import { parentOf } from '../../storage/names.ts'

export const kafkaDirs = ['kafka-3.9.1-clean', 'kafka-4.3.1-clean', 'kafka-4.3.1-killed'] as const
export type KafkaDir = (typeof kafkaDirs)[number]

const fixture = (name: string) =>
  gunzipSync(readFileSync(new URL(`../fixtures/kafka-dirs/${name}`, import.meta.url)), { maxOutputLength: 2 ** 28 })

/** All files of the directory, as a file system in memory. */
export function unpack(dir: KafkaDir): Files {
  const files = memoryFiles()
  const tar = fixture(`${dir}.tar.gz`)
  for (let at = 0; at + 512 <= tar.byteLength && tar[at] !== 0;) {
    const text = (from: number, length: number) => tar.toString('latin1', at + from, at + from + length).split('\0')[0]
    const size = Number.parseInt(text(124, 12) ?? '', 8)
    const path = (text(0, 100) ?? '').replace(/^\.\//, '')
    if (text(156, 1) === '0') {
      files.mkdir(parentOf(path))
      files.writeAtomic(path, tar.subarray(at + 512, at + 512 + size))
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

/** What DumpLogSegments printed, by file; its findings at the end left out. */
export function printed(dir: KafkaDir, what: string): Map<string, string[]> {
  const byFile = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of fixture(`${dir}.${what}.txt.gz`).toString('utf8').split('\n')) {
    const path = /^Dumping (?:\.\/)?(.*)$/.exec(line)?.[1]
    if (path !== undefined) byFile.set(path, (lines = []))
    else if (/^(Non-consecutive offsets|Mismatches|Found timestamp mismatch)/.test(line)) lines = []
    else if (line !== '') lines.push(line)
  }
  return byFile
}
