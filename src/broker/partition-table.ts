// The partitions this broker leads, by topic name and number.
import type { Partition } from './partition.ts'

export class PartitionTable {
  readonly #topics = new Map<string, Partition[]>()

  get(topic: string, partition: number): Partition | undefined {
    return this.#topics.get(topic)?.[partition]
  }

  /** The partitions of one topic, in order; empty if there is no such topic. */
  ofTopic(topic: string): readonly Partition[] {
    return this.#topics.get(topic) ?? []
  }

  *all(): Generator<Partition> {
    for (const partitions of this.#topics.values()) yield* partitions
  }

  add(partition: Partition): void {
    const partitions = this.#topics.get(partition.topic) ?? []
    partitions[partition.partition] = partition
    this.#topics.set(partition.topic, partitions)
  }

  /** Forgets a topic; returns the partitions it had. */
  removeTopic(topic: string): readonly Partition[] {
    const partitions = this.ofTopic(topic)
    this.#topics.delete(topic)
    return partitions
  }
}
