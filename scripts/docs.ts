// Prints the reference pages from the declarations: `npm run docs` writes them, `npm run docs -- --check` only compares.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ourDefaults } from '../src/config/defaults.ts'
import type { Key, Keys } from '../src/config/key.ts'
import { brokerAreas, brokerKeys, clientMetricsKeys, groupKeys, topicKeys } from '../src/config/keys.ts'
import { formatValue, range } from '../src/config/values.ts'
import { releases } from '../src/config/releases.ts'
import { apis as knownApis } from '../protocol/messages/index.ts'
import { apis } from '../src/apis/index.ts'
import { servedApis } from '../src/apis/served.ts'
import { rangeText } from '../src/cli/commands/protocol-text.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const pages: Record<string, () => string> = { 'docs/config.md': configPage, 'docs/protocol.md': protocolPage }

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
      'The column *changes* says how Apache Kafka lets a key change: at a restart, for one broker, or for the cluster. Here too: AlterConfigs and IncrementalAlterConfigs change topics and the keys of brokers that change for the cluster and have an effect, at once and for the next starts; a topic goes before this broker, this broker before the default of all, that before what it was started with.',
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

function protocolPage(): string {
  const served = new Set(apis.map(({ api }) => api))
  const asRelease = releases.map(release => servedApis({ 'odradek.as.version': release }))
  const rows = apis.map(({ api, versions, advertised }) => [
    String(api.key),
    api.name,
    rangeText(versions),
    rangeText(advertised),
    api.flexible === Infinity ? 'none' : String(api.flexible),
    ...asRelease.map(handlers => {
      const handler = handlers.find(one => one.api === api)
      return handler ? rangeText(handler.versions) : ''
    }),
  ])
  const others = knownApis
    .filter(api => !served.has(api))
    .map(api => [String(api.key), api.name, rangeText(api.versions)])
  return `# The wire

<!-- Printed by \`npm run docs\` from the list of APIs and the message definitions; edit those. -->

## APIs that are served

A request of any other API or version closes the connection, as in Kafka; ApiVersions above the highest version is
answered with the range that is served. *Advertised* is what ApiVersions tells. From the version *flexible since* on,
strings and arrays are compact and every struct may carry tagged fields (KIP-482). The columns on the right are what is
served with \`--as-version\`, or \`asVersion\` of createBroker: what that release of Kafka serves, as far as we do.

${table(['key', 'API', 'served', 'advertised', 'flexible since', ...releases], rows)}

\`odradek protocol\` prints this list, \`odradek protocol produce 9\` how one version looks on the wire, and
\`odradek protocol decode\` bytes as JSON.

## APIs that the codec knows besides

The package \`odradek/protocol\` and \`odradek protocol\` read and write these too. Versions are those of Kafka 3.9 to 4.4.

${table(['key', 'API', 'versions'], others)}
`
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
