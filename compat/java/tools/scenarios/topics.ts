// kafka-topics and kafka-get-offsets.
import { filled, runLines, words, type ToolScenario } from './scenario.ts'

const commands = `
--list
--create --topic plain
--create --topic wide --partitions 4 --replication-factor 1 --config retention.ms=1000000 --config segment.bytes=2000000
--create --topic assigned --replica-assignment 1,1
! --create --topic plain
--create --topic plain --if-not-exists
--create --topic dots.and_underscores
! --create --topic dots_and.underscores
! --create --topic bad!name
! --create --topic none --partitions 0
! --create --topic three --replication-factor 3
! --create --topic nobody --replica-assignment 7
! --create --topic unknown --config no.such.key=1
! --create --topic wrong --config retention.ms=-7
! --create --topic wrong --config cleanup.policy=shred
--list
--list --topic 'w.*'
--list --exclude-internal
--describe --topic plain
--describe --topic wide
--describe --topic 'plain|wide'
--describe --topics-with-overrides
--describe --under-replicated-partitions
--describe --unavailable-partitions
--describe --under-min-isr-partitions
--describe --at-min-isr-partitions
--describe --topic missing
--describe --topic missing --if-exists
--describe --topic-id AAAAAAAAAAAAAAAAAAAAAA
--describe --topic-id notAnId
--alter --topic plain --partitions 3
--describe --topic plain
! --alter --topic plain --partitions 3
! --alter --topic plain --partitions 2
--alter --topic assigned --partitions 4 --replica-assignment 1,1,1,1
! --alter --topic assigned --partitions 5 --replica-assignment 1,1,1,1,9
--alter --topic missing --partitions 2
--alter --topic missing --partitions 2 --if-exists
--describe --topic assigned
--delete --topic wide
--delete --topic wide
--delete --topic missing --if-exists
--delete --topic 'dots.*'
--list
--version
`

export const topics: ToolScenario = {
  name: 'topics',
  async run(on) {
    await runLines(on, 'kafka-topics', commands)
    const printed = await on.quietly('kafka-topics', words('--describe --topic plain'))
    const id = /TopicId: (\S+)/.exec(printed.out)![1]!
    await on.run('kafka-topics', ['--describe', '--topic-id', id])
  },
}

const offsets = `
--topic filled
--topic filled --time -2
--topic filled --time earliest
--topic filled --time -1
--topic filled --time latest
--topic filled --time -4
--topic filled --time earliest-local
--topic filled --time -5
--topic filled --time latest-tiered
--topic filled --time -6
--topic filled --time earliest-pending-upload
--topic filled --time 0
--topic filled --time 9999999999999
--topic filled --time yesterday
--topic filled --partitions 0
--topic filled --partitions 1
--topic filled --partitions 7
--topic missing
--topic-partitions filled:0,empty:0-1
--topic-partitions 'fil.*:0,.*:1-'
--exclude-internal-topics
`

export const getOffsets: ToolScenario = {
  name: 'get-offsets',
  async run(on) {
    await filled(on, 'filled', 7, 2)
    await on.quietly('kafka-topics', words('--create --topic empty --partitions 3'))
    await on.quietly('kafka-console-consumer', words('--topic filled --group g --from-beginning --max-messages 3'))
    await runLines(on, 'kafka-get-offsets', offsets)
    // Records of the same millisecond or not: which of them is the last one is chance.
    const masks = [[/^(filled:\d):\d+$/g, '$1:<offset>']] as const
    await runLines(on, 'kafka-get-offsets', '--topic filled --time -3\n--topic filled --time max-timestamp', { masks })
  },
}
