// The topics, and how values look in them. Commands and events are keyed by account, so those of one account stay in order.
import type { Kafka } from 'kafkajs'

export const COMMANDS = 'account-commands'
/** The source of truth: kept for ever. */
export const EVENTS = 'account-events'
/** The newest snapshot of each view and partition; compaction drops the older ones. */
export const SNAPSHOTS = 'account-snapshots'

export const PARTITIONS = 3

export async function createTopics(kafka: Kafka): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        { topic: COMMANDS, numPartitions: PARTITIONS },
        { topic: EVENTS, numPartitions: PARTITIONS, configEntries: [{ name: 'retention.ms', value: '-1' }] },
        { topic: SNAPSHOTS, numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
      ],
    })
  } finally {
    await admin.disconnect()
  }
}

export const toValue = (value: unknown): string => JSON.stringify(value)

/** The value of a record that one of us wrote. */
export const fromValue = <T>(value: Buffer | null): T => JSON.parse(String(value)) as T
