// Prints the reference pages from the declarations: `npm run docs` writes them, `npm run docs -- --check` only compares.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ourDefaults } from '../src/config/defaults.ts'
import type { Key, Keys } from '../src/config/key.ts'
import { brokerAreas, brokerKeys, clientMetricsKeys, groupKeys, topicKeys } from '../src/config/keys.ts'
import { formatValue, range } from '../src/config/values.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const pages: Record<string, () => string> = { 'docs/config.md': configPage }

function configPage(): string {
  const areas = Object.entries<Keys>(brokerAreas)
  const all = Object.values<Key<unknown>>(brokerKeys)
  const working = all.filter(({ effect }) => effect === 'works').length
  return [
    '# Configuration',
    '<!-- Printed by `npm run docs` from src/config/keys; do not edit. -->',
    'Keys have the names, types and ranges of Apache Kafka 4.4; keys of our own start with `odradek.`. They are read from ' +
      'flags (`--set key=value`), the environment (`KAFKA_LOG_RETENTION_MS`; `_` stands for a dot, `__` for `_`, `___` for `-`), ' +
      'and a file (`--config server.properties`), in this order of precedence.',
    `Of ${all.length} broker keys ${working} have an effect in this version (marked **yes**). The others are read and checked, so ` +
      'that files written for Apache Kafka work as they are; one that is set to anything but its default is named in a warning ' +
      'when the broker starts. Topic keys without effect may only be set to their default. ' +
      'The column *changes* says how Apache Kafka lets a key change: at a restart, for one broker, or for the cluster.',
    '## Defaults that differ from Apache Kafka',
    table(['key', 'Apache Kafka', 'here', 'why'], Object.entries(ourDefaults).map(differing)),
    '## Broker keys',
    ...areas.flatMap(([title, keys]) => [`### ${title}`, keyTable(keys, true)]),
    '## Topic keys',
    keyTable(topicKeys, false),
    '## Group keys',
    keyTable(groupKeys, false),
    '## Client metrics keys',
    keyTable(clientMetricsKeys, false),
    '',
  ].join('\n\n')
}

function differing([name, { value, why }]: [string, { value: unknown; why: string }]): string[] {
  const key = (brokerKeys as Keys)[name]!
  const theirs = key.kafkaRequires === true ? 'must be set' : code(formatValue(key, key.default))
  return [code(name), theirs, code(formatValue(key, value)), why]
}

function keyTable(keys: Keys, broker: boolean): string {
  const head = ['key', 'type', 'default', 'values', broker ? 'changes' : 'broker key', 'effect', '']
  return table(
    head,
    Object.entries(keys).map(([name, key]) => [
      code(name),
      key.type,
      Object.hasOwn(ourDefaults, name) ? 'see above' : code(formatValue(key, key.default)),
      key.pattern?.describe ?? key.values?.join(', ') ?? range(key),
      broker ? key.update : (key.broker ?? []).map(synonym => code(synonym.key)).join(', '),
      key.effect === 'works' ? '**yes**' : 'none yet',
      key.doc,
    ]),
  )
}

const code = (text: string | null): string => (text === null ? 'unset' : text === '' ? 'empty' : `\`${text}\``)

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

let stale = 0
for (const [path, print] of Object.entries(pages)) {
  const file = join(root, path)
  const page = print()
  if (process.argv.includes('--check')) {
    const current = read(file)
    if (current === page) continue
    stale++
    console.error(`${path} is not what the code says; run npm run docs.`)
  } else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, page)
    console.log(`wrote ${path}`)
  }
}
process.exitCode = stale === 0 ? 0 : 1

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
