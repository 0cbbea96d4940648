// kafka-configs and kafka-client-metrics.
import { runLines, words, type ToolScenario } from './scenario.ts'

const commands = `
--describe --entity-type topics --entity-name t
--alter --entity-type topics --entity-name t --add-config retention.ms=5000,max.message.bytes=2000
--describe --entity-type topics --entity-name t
--alter --entity-type topics --entity-name t --add-config cleanup.policy=[compact,delete]
--describe --entity-type topics --entity-name t
--alter --entity-type topics --entity-name t --delete-config cleanup.policy,max.message.bytes
--describe --topic t
--describe --entity-type topics
! --alter --entity-type topics --entity-name t --add-config no.such.key=1
! --alter --entity-type topics --entity-name t --add-config retention.ms=soon
! --alter --entity-type topics --entity-name t --add-config segment.bytes=1
--alter --entity-type topics --entity-name t --delete-config flush.ms
! --alter --entity-type topics --entity-name missing --add-config retention.ms=1
--describe --entity-type topics --entity-name missing
--describe --entity-type brokers --entity-name 1
--describe --entity-type brokers --entity-default
--alter --entity-type brokers --entity-default --add-config log.retention.ms=777777,message.max.bytes=999999
--describe --entity-type brokers --entity-default
--describe --entity-type brokers --entity-name 1
--describe --entity-type topics --entity-name t
--describe --broker 1
--describe --broker-defaults
--describe --entity-type brokers
! --alter --entity-type brokers --entity-name 1 --add-config node.id=2
! --alter --entity-type brokers --entity-name 1 --add-config message.max.bytes=-1
--alter --entity-type brokers --entity-default --delete-config log.retention.ms,message.max.bytes
--describe --entity-type brokers --entity-default
--describe --entity-type groups
--describe --entity-type groups --entity-name g
--alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=50000
--describe --group g
--describe --entity-type groups
! --alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=1
! --alter --entity-type groups --entity-name g --add-config no.such.key=1
--alter --entity-type groups --entity-name g --delete-config consumer.session.timeout.ms
--describe --entity-type groups --entity-name g
--alter --entity-type client-metrics --entity-name cm --add-config interval.ms=1000,metrics=[a.,b.],match=[client_id=c.*]
--describe --entity-type client-metrics --entity-name cm
--describe --entity-type client-metrics
--describe --client-metrics cm
! --alter --entity-type client-metrics --entity-name cm --add-config interval.ms=1
! --alter --entity-type client-metrics --entity-name cm --add-config match=[nobody=1]
--alter --entity-type client-metrics --entity-name cm --delete-config interval.ms,metrics,match
--describe --entity-type client-metrics
--describe --entity-type users
--describe --entity-type clients
--describe --entity-type ips
! --alter --entity-type clients --entity-name c --add-config producer_byte_rate=1000
! --alter --entity-type users --entity-name u --add-config SCRAM-SHA-256=[password=p]
--describe --entity-type broker-loggers --entity-name 1
`

/** The one that both have. */
const loggers = `
--alter --entity-type broker-loggers --entity-name 1 --add-config root=ERROR
--describe --broker-logger 1
! --alter --entity-type broker-loggers --entity-name 1 --add-config root=LOUD
! --alter --entity-type broker-loggers --entity-name 1 --add-config no.such.logger=INFO
! --alter --entity-type broker-loggers --entity-name 1 --delete-config root
`

/** Passed on to Kafka's own logging, whose loggers are those of its source. */
const loggersOf = { only: /^(?!.*(?:=(?:WARN|INFO|ERROR|OFF|DEBUG) ))/ }

export const configs: ToolScenario = {
  name: 'configs',
  async run(on) {
    await on.quietly('kafka-topics', words('--create --topic t'))
    const options = { sorted: true, ...loggersOf }
    await runLines(on, 'kafka-configs', commands, options)
    await runLines(on, 'kafka-configs', loggers, { only: /root|^Dynamic|Completed|Exception|exit/ })
    await on.run('kafka-configs', words('--alter --broker 1 --add-config log.segment.bytes=33333333'), options)
    // Apache Kafka answers before it has taken the value.
    await on.until(/log.segment.bytes=33333333 sensitive/, 'kafka-configs', words('--describe --broker 1'), options)
    await on.run('kafka-configs', words('--alter --broker 1 --delete-config log.segment.bytes'), options)
  },
}

/** A key of its own: only-values, which the two sides can be told to agree on. */
const all = `
--describe --entity-type topics --entity-name t --all
--describe --entity-type groups --entity-name g --all
--describe --entity-type client-metrics --entity-name cm --all
--describe --entity-type brokers --entity-name 1 --all
`

export const allConfigs: ToolScenario = {
  name: 'configs --all',
  async run(on) {
    await on.quietly('kafka-topics', words('--create --topic t --config retention.bytes=123456789'))
    await runLines(on, 'kafka-configs', all, { sorted: true })
  },
}

const metrics = `
--list
--alter --name cm --interval 5000 --metrics a.,b. --match client_id=c.*
--list
--describe --name cm
--describe
--alter --name cm --interval ''
--describe --name cm
! --alter --name cm --interval 1
! --alter --name cm --match nobody=1
--delete --name cm
--list
--describe --name cm
--delete --name missing
`

export const clientMetrics: ToolScenario = {
  name: 'client-metrics',
  run: on => runLines(on, 'kafka-client-metrics', metrics, { sorted: true }),
}
