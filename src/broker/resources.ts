// What the metadata sets for groups and client metrics, brought to those who use it.
import type { MetadataDelta, MetadataView } from '../cluster/image.ts'
import type { ClientTelemetry } from '../observe/client-telemetry.ts'
import type { Logger } from '../runtime/log.ts'
import { ConfigResource } from '../cluster/records.ts'
import { ConfigError } from '../config/index.ts'

export interface ResourcesOptions {
  readonly image: MetadataView
  readonly telemetry: ClientTelemetry
  readonly log: Logger
}

export class Resources {
  readonly #o: ResourcesOptions
  #isWarned = false

  constructor(options: ResourcesOptions) {
    this.#o = options
  }

  start(): void {
    const { image } = this.#o
    for (const name of image.configuredResources(ConfigResource.CLIENT_METRICS)) this.#subscribe(name)
    for (const name of image.configuredResources(ConfigResource.GROUP)) this.#warn(name)
  }

  apply({ configsChanged }: Pick<MetadataDelta, 'configsChanged'>): void {
    for (const { resourceType, resourceName } of configsChanged) {
      if (resourceType === ConfigResource.CLIENT_METRICS) this.#subscribe(resourceName)
      if (resourceType === ConfigResource.GROUP) this.#warn(resourceName)
    }
  }

  #subscribe(name: string): void {
    const { image, telemetry, log } = this.#o
    try {
      telemetry.subscribe(name, image.configs(ConfigResource.CLIENT_METRICS, name))
    } catch (error) {
      // Settings that another broker took.
      if (!(error instanceof ConfigError)) throw error
      log.warn({ subscription: name, reason: error.message }, 'A client metrics subscription is left out')
    }
  }

  #warn(group: string): void {
    const { image, log } = this.#o
    const settings = image.configs(ConfigResource.GROUP, group)
    if (this.#isWarned || settings.size === 0) return
    this.#isWarned = true
    const keys = [...settings.keys()]
    log.warn({ group, keys }, 'Settings of groups are kept, but have no effect in this version of Odradek')
  }
}
