// Configuration: every key declared once, read from flags, environment and file, and described to clients.

export type { Address, Endpoint } from './listeners.ts'
export type { BrokerConfig, Setting, Sources } from './parse.ts'
export type { BrokerKeyName, BrokerValues, TopicConfig, TopicKeyName } from './keys.ts'
export type { DescribedConfig, DescribeOptions, Synonym } from './describe.ts'
export type { LogSettings, Overrides, Verdict } from './topic.ts'
export { ConfigSource, describeBroker, describeTopic } from './describe.ts'
export { ConfigError } from './values.ts'
export { brokerKeys, clientMetricsKeys, groupKeys, topicKeys } from './keys.ts'
export { defaultOf, ourDefaults } from './defaults.ts'
export { logSettings, topicConfig, validateTopicConfigs } from './topic.ts'
export { parse } from './parse.ts'
