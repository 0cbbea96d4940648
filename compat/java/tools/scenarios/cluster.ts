// What the tools tell about a cluster: kafka-cluster, -features, -metadata-quorum, -broker-api-versions, -log-dirs,
// -leader-election, -reassign-partitions.
import { filled, runLines, words, type ToolScenario } from './scenario.ts'

export const cluster: ToolScenario = {
  name: 'cluster',
  async run(on) {
    const at = ['--bootstrap-server', on.bootstrap]
    await on.run('kafka-cluster', ['cluster-id', ...at], { alone: true })
    await on.run('kafka-cluster', ['list-endpoints', ...at], { alone: true })
    await on.run('kafka-cluster', ['list-endpoints', '--include-fenced-brokers', ...at], { alone: true })
    await on.run('kafka-cluster', ['unregister', '--id', '7', ...at], { alone: true, words: true })
  },
}

/** How long ago, how far behind: whatever it was just then. */
const moments = [
  [/^(LeaderEpoch|HighWatermark|MaxFollowerLagTimeMs):.*/g, '$1: <number>'],
  [/^(1\s+\S+\s+)\d+(\s+\d+\s+).*?(\w+)$/g, '$1<end>$2<time> <time> $3'],
] as const

export const quorum: ToolScenario = {
  name: 'metadata-quorum',
  async run(on) {
    await runLines(
      on,
      'kafka-metadata-quorum',
      `
describe --status
describe --replication
describe --replication --human-readable
`,
      { masks: moments },
    )
  },
}

const epoch = [[/Epoch: \d+/g, 'Epoch: <number>']] as const

export const features: ToolScenario = {
  name: 'features',
  keys: { 'odradek.as.version': '4.3' },
  async run(on) {
    await on.run('kafka-features', ['describe'], { masks: epoch, sorted: true })
    await on.run('kafka-features', ['describe', '--node-id', '1'], { masks: epoch, sorted: true })
    await runLines(
      on,
      'kafka-features',
      `
upgrade --feature transaction.version=2
upgrade --feature transaction.version=2 --dry-run
! upgrade --feature transaction.version=99
! upgrade --feature no.such.feature=1
! downgrade --feature transaction.version=2
downgrade --feature transaction.version=1 --dry-run
downgrade --feature transaction.version=1
describe
upgrade --feature transaction.version=2
! upgrade --metadata 3.3-IV0
! downgrade --metadata 3.4-IV0
disable --feature transaction.version --dry-run
`,
      { masks: epoch, sorted: true },
    )
  },
}

export const apiVersions: ToolScenario = {
  name: 'broker-api-versions',
  keys: { 'odradek.as.version': '4.3' },
  run: async on => void (await on.run('kafka-broker-api-versions', [], { sorted: true })),
}

export const logDirs: ToolScenario = {
  name: 'log-dirs',
  async run(on) {
    await filled(on, 'filled', 12, 3)
    await on.quietly('kafka-topics', words('--create --topic empty'))
    // The bytes of the whole disk.
    const masks = [[/"(total|usable)Bytes":\d+/g, '"$1Bytes":<bytes>']] as const
    await runLines(
      on,
      'kafka-log-dirs',
      `
--describe --topic-list empty
--describe --topic-list filled --broker-list 1
--describe --topic-list missing
--describe --broker-list 1,7
`,
      { masks },
    )
  },
}

export const elections: ToolScenario = {
  name: 'leader-election',
  async run(on) {
    await on.quietly('kafka-topics', words('--create --topic t --partitions 2'))
    const paths = on.file(
      'partitions.json',
      '{"partitions": [{"topic": "t", "partition": 0}, {"topic": "t", "partition": 1}]}',
    )
    await runLines(
      on,
      'kafka-leader-election',
      `
--election-type preferred --all-topic-partitions
--election-type unclean --all-topic-partitions
--election-type preferred --topic t --partition 0
--election-type unclean --topic t --partition 1
--election-type preferred --path-to-json-file ${paths}
--election-type preferred --topic t --partition 9
--election-type preferred --topic missing --partition 0
`,
    )
  },
}

export const reassignments: ToolScenario = {
  name: 'reassign-partitions',
  async run(on) {
    await filled(on, 't', 6, 2)
    // Some ask brokers that are not there.
    const impatient = on.file('impatient.properties', 'default.api.timeout.ms=2000\nrequest.timeout.ms=1000\n')
    const run = (lines: string): Promise<void> =>
      runLines(on, 'kafka-reassign-partitions', lines.trim().replaceAll(/$/gm, ` --command-config ${impatient}`))
    const move = on.file('move.json', '{"topics": [{"topic": "t"}], "version": 1}')
    const unknown = on.file('unknown.json', '{"topics": [{"topic": "missing"}], "version": 1}')
    const plan = (partitions: object[]): string => JSON.stringify({ version: 1, partitions })
    const same = on.file('same.json', plan([0, 1].map(partition => ({ topic: 't', partition, replicas: [1] }))))
    const elsewhere = on.file('elsewhere.json', plan([{ topic: 't', partition: 0, replicas: [7] }]))
    const missing = on.file('missing.json', plan([{ topic: 'missing', partition: 0, replicas: [1] }]))
    const both = on.file('both.json', plan([{ topic: 't', partition: 0, replicas: [1, 7] }]))
    await run(
      `
--list
--generate --topics-to-move-json-file ${move} --broker-list 1
--generate --topics-to-move-json-file ${unknown} --broker-list 1
--generate --topics-to-move-json-file ${move} --broker-list 1,7
--execute --reassignment-json-file ${same}
--verify --reassignment-json-file ${same}
--execute --reassignment-json-file ${same} --additional
--execute --reassignment-json-file ${elsewhere}
--execute --reassignment-json-file ${both}
--execute --reassignment-json-file ${missing}
--verify --reassignment-json-file ${elsewhere}
--verify --reassignment-json-file ${missing}
--cancel --reassignment-json-file ${same}
--execute --reassignment-json-file ${same} --throttle 1000
`,
    )
    const settings = async (): Promise<void> => {
      await on.run('kafka-configs', words('--describe --entity-type topics --entity-name t'))
      await on.run('kafka-configs', words('--describe --entity-type brokers --entity-name 1'))
    }
    await settings()
    await run(`
--execute --reassignment-json-file ${same} --throttle 2000 --additional
--verify --reassignment-json-file ${same} --preserve-throttles
`)
    await settings()
    await run(`--verify --reassignment-json-file ${same}`)
    await settings()
    await run(`
--execute --reassignment-json-file ${same} --replica-alter-log-dirs-throttle 1000
--list
`)
    await settings()
    const directory = on.file(
      'directory.json',
      plan([{ topic: 't', partition: 0, replicas: [1], log_dirs: [on.dataDir] }]),
    )
    const nowhere = on.file('nowhere.json', plan([{ topic: 't', partition: 0, replicas: [1], log_dirs: ['/nowhere'] }]))
    await run(
      `
--execute --reassignment-json-file ${directory}
--verify --reassignment-json-file ${directory}
--execute --reassignment-json-file ${directory} --throttle 3000 --replica-alter-log-dirs-throttle 1000
--verify --reassignment-json-file ${directory} --preserve-throttles
`,
    )
    await settings()
    await run(`--verify --reassignment-json-file ${directory}`)
    await settings()
    await run(
      `
--execute --reassignment-json-file ${nowhere} --timeout 1000
--verify --reassignment-json-file ${nowhere}
--cancel --reassignment-json-file ${directory}
`,
    )
  },
}
