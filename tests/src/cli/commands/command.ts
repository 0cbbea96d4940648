// Commands that show their progress, without a process: what they print and how they would end; and a directory for them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { run } from '../../../../src/cli/commands/verify.ts'
import { unpack } from '../../../storage/kafka-dirs.ts'

export type Command = typeof run

export async function call(command: Command, args: readonly string[], errTerminal = false) {
  const seen = { out: '', err: '', exits: [] as number[] }
  let now = 1_795_000_000_000
  await command(args, {
    out: text => void (seen.out += text),
    err: text => void (seen.err += text),
    drained: () => Promise.resolve(),
    exit: code => void seen.exits.push(code),
    errTerminal,
    now: () => (now += 200),
  })
  return { ...seen, lines: seen.out.split('\n').slice(0, -1) }
}

/** Writes a directory of Apache Kafka to the disk, with those of its folders that are wanted. */
export function writeKafkaData(data: string, isWanted: (folder: string) => boolean = () => true): void {
  const files = unpack('kafka-4.3.1-clean')
  for (const name of files.list('')) {
    const isFolder = files.isFolder(name)
    if (isFolder && !isWanted(name)) continue
    for (const path of isFolder ? files.list(name).map(file => `${name}/${file}`) : [name]) {
      mkdirSync(dirname(join(data, path)), { recursive: true })
      writeFileSync(join(data, path), files.readAll(path))
    }
  }
}
