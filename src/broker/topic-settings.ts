// What topics are configured with: worked out once for all the topics that have no settings of their own, of which there
// may be thousands.
import type { MetadataView } from '../cluster/image.ts'
import type { BrokerConfig, Overrides, TopicConfig } from '../config/index.ts'
import type { Logger } from '../runtime/log.ts'
import { logSettings, topicConfig, validTopicConfigs } from '../config/index.ts'

export interface SettingsOfTopic {
  readonly topic: TopicConfig
  readonly log: ReturnType<typeof logSettings>
}

export class TopicSettings {
  readonly #config: BrokerConfig
  readonly #image: MetadataView
  readonly #log: Logger
  /** What was told of settings already. */
  readonly #faults = new Set<string>()
  #defaults: SettingsOfTopic | null = null

  constructor(config: BrokerConfig, image: MetadataView, log: Logger) {
    this.#config = config
    this.#image = image
    this.#log = log
  }

  of(topic: string): SettingsOfTopic {
    const own = this.#image.topicConfigs(topic)
    return own.size > 0 ? this.#read(this.#readable(topic, own)) : (this.#defaults ??= this.#read(own))
  }

  /** The broker's configuration changed. */
  forget(): void {
    this.#defaults = null
  }

  /** A setting that cannot be read, written by another version perhaps, is as if it were not there. */
  #readable(topic: string, own: Overrides): Overrides {
    const { valid, faults } = validTopicConfigs(own)
    for (const fault of faults) {
      const message = `A setting of topic ${topic} is left out, as if it were not set: ${fault}`
      if (!this.#faults.has(message)) this.#log.error({ topic }, message)
      this.#faults.add(message)
    }
    return valid
  }

  #read(own: Overrides): SettingsOfTopic {
    const topic = topicConfig(this.#config, own)
    return { topic, log: logSettings(this.#config, topic) }
  }
}
