// What topics are configured with: worked out once for all the topics that have no settings of their own, of which there
// may be thousands.
import type { MetadataView } from '../cluster/image.ts'
import type { BrokerConfig, TopicConfig } from '../config/index.ts'
import { logSettings, topicConfig } from '../config/index.ts'

export interface SettingsOfTopic {
  readonly topic: TopicConfig
  readonly log: ReturnType<typeof logSettings>
}

export class TopicSettings {
  readonly #config: BrokerConfig
  readonly #image: MetadataView
  #defaults: SettingsOfTopic | null = null

  constructor(config: BrokerConfig, image: MetadataView) {
    this.#config = config
    this.#image = image
  }

  of(topic: string): SettingsOfTopic {
    const own = this.#image.topicConfigs(topic)
    return own.size > 0 ? this.#read(own) : (this.#defaults ??= this.#read(own))
  }

  /** The broker's configuration changed. */
  forget(): void {
    this.#defaults = null
  }

  #read(own: ReadonlyMap<string, string>): SettingsOfTopic {
    const topic = topicConfig(this.#config, own)
    return { topic, log: logSettings(this.#config, topic) }
  }
}
