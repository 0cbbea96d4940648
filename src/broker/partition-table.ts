// The partitions this broker leads, by topic name and number.
import type { Partition } from './partition.ts'
import { KAFKA_STORAGE_ERROR, KafkaError, UNKNOWN_TOPIC_OR_PARTITION } from '../../protocol/errors.ts'

export class PartitionTable {
  readonly #topics = new Map<string, (Partition | undefined)[]>()
  /** Those whose log could not be opened, as `topic/partition`. */
  readonly #offline = new Set<string>()

  get(topic: string, partition: number): Partition | undefined {
    return this.#topics.get(topic)?.[partition]
  }

  /** Throws KafkaError: UNKNOWN_TOPIC_OR_PARTITION, or KAFKA_STORAGE_ERROR if its log could not be opened. */
  require(topic: string, partition: number): Partition {
    const found = this.get(topic, partition)
    if (found) return found
    throw new KafkaError(this.isOffline(topic, partition) ? KAFKA_STORAGE_ERROR : UNKNOWN_TOPIC_OR_PARTITION)
  }

  /** The partitions of one topic, in order; empty if there is no such topic. */
  ofTopic(topic: string): readonly Partition[] {
    return (this.#topics.get(topic) ?? []).filter(partition => partition !== undefined)
  }

  *all(): Generator<Partition> {
    // A partition that could not be opened leaves a hole.
    for (const partitions of this.#topics.values()) for (const partition of partitions) if (partition) yield partition
  }

  add(partition: Partition): void {
    const partitions = this.#topics.get(partition.topic) ?? []
    partitions[partition.partition] = partition
    this.#topics.set(partition.topic, partitions)
  }

  /** Whether its log could not be opened. */
  isOffline(topic: string, partition: number): boolean {
    return this.#offline.has(`${topic}/${partition}`)
  }

  addOffline(topic: string, partition: number): void {
    this.#offline.add(`${topic}/${partition}`)
  }

  /** Forgets a topic; returns the partitions it had. */
  removeTopic(topic: string): readonly Partition[] {
    const partitions = this.ofTopic(topic)
    for (const key of this.#offline) if (key.startsWith(`${topic}/`)) this.#offline.delete(key)
    this.#topics.delete(topic)
    return partitions
  }
}
