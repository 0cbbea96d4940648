/**
 * The controller: pure functions (image, request, options) -> records to append and the reply to give. They read the
 * newest image, write nothing, and answer what Kafka's controller answers.
 */
export { alterConfigs, incrementalAlterConfigs } from './alter-configs.ts'
export type { AlterConfigsOptions, AlterResult } from './alter-configs.ts'
export { autoCreateTopics, internalTopicsOf, offsetsTopic } from './auto-creation.ts'
export type { AutoCreated, AutoCreationOptions, InternalTopic, OffsetsTopicConfig } from './auto-creation.ts'
export { bootstrap, bootstrapFeatures, registerBroker } from './broker-registration.ts'
export type { BootstrapOptions, Registration } from './broker-registration.ts'
export { createPartitions } from './create-partitions.ts'
export { createTopics } from './create-topics.ts'
export type { CreateTopicsOptions, TopicConfigEntry, TopicSetting } from './create-topics.ts'
export { deleteTopics, type DeleteTopicsOptions } from './delete-topics.ts'
export type { Decision, Refusal } from './decision.ts'
export { allocateProducerIds, ProducerIds, PRODUCER_ID_BLOCK_SIZE, type ProducerIdBlock } from './producer-ids.ts'
