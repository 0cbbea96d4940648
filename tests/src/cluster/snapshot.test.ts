/** An image as records, and the snapshot file: equal images there and back, Kafka's records included, and damage found. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as batch from '../../../protocol/records/batch.ts'
import { controlTypeName, decodeControlKey } from '../../../protocol/records/control.ts'
import { forEachRecord } from '../../../protocol/records/record.ts'
import { encodeMetadataRecord } from '../../../protocol/state/metadata-record.ts'
import { metadataRecords } from '../../../protocol/state/metadata-records.ts'
import { MetadataImage } from '../../../src/cluster/image.ts'
import { imageRecords } from '../../../src/cluster/image-records.ts'
import { loadBatches } from '../../../src/cluster/metadata-log.ts'
import { partitionChange } from '../../../src/cluster/partition-image.ts'
import { fixedQuorum, type Quorum } from '../../../src/cluster/quorum.ts'
import { decodeRecord, encodeRecord } from '../../../src/cluster/record-codec.ts'
import type { MetadataRecord, OtherRecord } from '../../../src/cluster/records.ts'
import { headerTimestamp, readSnapshot, snapshotBatches, type SnapshotToWrite } from '../../../src/cluster/snapshot.ts'
import { contents, DIRECTORY, kafkaLog, partitionRecord, registration } from './support.ts'

const kafkas = ['4.3.1-clean', '4.3.1-killed', '3.9.1-clean'] as const

function imageOf(records: readonly MetadataRecord[]): MetadataImage {
  const image = new MetadataImage()
  image.apply(records, records.length)
  return image
}

const other = (key: number, body = Buffer.from([1, 2, 3]), version = 0): OtherRecord => ({
  type: 'other',
  key,
  version,
  body,
})

/** A record that the image does not act on, as it is read from a log. */
function kept(type: keyof typeof metadataRecords, value: Record<string, unknown>): MetadataRecord {
  return decodeRecord(encodeMetadataRecord(metadataRecords[type] as never, 0, value as never), 0)
}

/** Through the bytes, in the versions of the level. */
const throughBytes = (image: MetadataImage): MetadataImage =>
  imageOf([...imageRecords(image)].map((record, n) => decodeRecord(encodeRecord(record, image.metadataVersion), n)))

// Random histories: every step is one that the image takes.
const name = fc.constantFrom('a', 'b', 'c', 'd')
const id = (n: number): string => `id-${String(n).padStart(18, '0')}A`
type Step = (image: MetadataImage, n: number) => MetadataRecord[]
const topicOf = (image: MetadataImage, wanted: string) => image.topicByName(wanted)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, fc.integer({ min: 1, max: 4 })).map(
    ([topic, partitions]): Step =>
      (image, n) =>
        topicOf(image, topic) !== undefined
          ? []
          : [
              { type: 'TopicRecord', value: { name: topic, topicId: id(n) } },
              ...Array.from({ length: partitions }, (_, partition) => partitionRecord(id(n), partition)),
            ],
  ),
  name.map((topic): Step => image => {
    const found = topicOf(image, topic)
    return found === undefined ? [] : [{ type: 'RemoveTopicRecord', value: { topicId: found.topicId } }]
  }),
  fc.tuple(name, fc.boolean()).map(([topic, leads]): Step => image => {
    const found = topicOf(image, topic)
    const change = leads ? { leader: 1, eligibleLeaderReplicas: [] } : { leader: -1, eligibleLeaderReplicas: [1] }
    return found === undefined ? [] : [partitionChange(found.topicId, 0, change)]
  }),
  fc
    .tuple(fc.constantFrom(2, 4, 16, 32), name, fc.constantFrom('x', 'y'), fc.option(fc.string(), { nil: null }))
    .map(([resourceType, resourceName, key, value]): Step => () => [
      { type: 'ConfigRecord', value: { resourceType, resourceName, name: key, value } },
    ]),
  fc.integer({ min: 1, max: 9 }).map((by): Step => image => [
    { type: 'ProducerIdsRecord', value: { brokerId: 1, brokerEpoch: 1, nextProducerId: image.producerIdNext + by } },
  ]),
  fc.tuple(name, fc.integer({ min: 0, max: 3 })).map(([feature, featureLevel]): Step => () => [
    { type: 'FeatureLevelRecord', value: { name: feature, featureLevel } },
  ]),
  fc.integer({ min: 1, max: 3 }).map((brokerId): Step => (_, n) => [
    {
      type: 'RegisterBrokerRecord',
      value: {
        brokerId,
        incarnationId: id(n),
        endPoints: registration.endPoints,
        rack: 'r',
        logDirs: [DIRECTORY],
        isMigratingZkBroker: false,
        brokerEpoch: n,
        features: [],
        fenced: true,
        inControlledShutdown: false,
        cordonedLogDirs: null,
      },
    },
  ]),
  fc.integer({ min: 1, max: 3 }).map((brokerId): Step => image => {
    const broker = image.broker(brokerId)
    return broker === undefined
      ? []
      : [{ type: 'UnfenceBrokerRecord', value: { id: brokerId, epoch: broker.brokerEpoch } }]
  }),
  // Of a type that nobody knows yet, and of a known type in a version that nobody knows.
  fc.tuple(fc.constantFrom(77, 1000), fc.uint8Array({ maxLength: 9 })).map(([key, body]): Step => () => [
    other(key, Buffer.from(body)),
  ]),
  fc.constantFrom(18, 19).map((key): Step => () => [other(key, Buffer.from([1]), 9)]),
  fc.tuple(name, fc.boolean()).map(([user, removed]): Step => () => [
    removed
      ? kept('RemoveUserScramCredentialRecord', { name: user, mechanism: 1 })
      : kept('UserScramCredentialRecord', {
          name: user,
          mechanism: 1,
          salt: Buffer.from('s'),
          storedKey: Buffer.from('k'),
          serverKey: Buffer.from('v'),
          iterations: 4096,
        }),
  ]),
  fc.tuple(fc.constantFrom(1, 2), fc.boolean()).map(([n, removed]): Step => () => [
    removed
      ? kept('RemoveAccessControlEntryRecord', { id: id(n) })
      : kept('AccessControlEntryRecord', {
          id: id(n),
          resourceType: 2,
          resourceName: 'a',
          patternType: 3,
          principal: 'User:x',
          host: '*',
          operation: 3,
          permissionType: 3,
        }),
  ]),
)

describe('an image as records', () => {
  test('replayed, they give the same image, whatever the history', () => {
    fc.assert(
      fc.property(fc.constantFrom(13, 21, 30), fc.array(step, { maxLength: 40 }), (level, steps) => {
        const image = imageOf([
          { type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: level } },
        ])
        steps.forEach((next, n) => {
          // Before directories and leader candidates were recorded, there were none.
          const records = next(image, n + 1).filter(record => level >= 23 || record.type !== 'PartitionChangeRecord')
          image.apply(
            records.map(record => asOf(record, level)),
            image.endOffset + 1,
          )
        })
        expect(contents(imageOf([...imageRecords(image)]))).toEqual(contents(image))
        expect(contents(throughBytes(image))).toEqual(contents(image))
      }),
      { numRuns: 300 },
    )
  })

  test.each(kafkas)("Kafka's own: %s", dir => {
    const image = new MetadataImage()
    for (const { records, endOffset } of loadBatches(kafkaLog(dir))) image.apply(records, endOffset)
    expect(contents(throughBytes(image))).toEqual(contents(image))
    const keys = [...imageRecords(image)].flatMap(record => (record.type === 'other' ? [record.key] : []))
    expect(keys).toEqual(dir === '3.9.1-clean' ? [21, 27] : [27])
    expect([...imageRecords(image)][0]).toMatchObject({ value: { name: 'metadata.version' } })
  })

  test('of what is kept without being acted on, the newest state; what is not understood stays as it stood', () => {
    const quota = (value: number, remove = false) =>
      kept('ClientQuotaRecord', {
        entity: [
          { entityType: 'user', entityName: 'u' },
          { entityType: 'client-id', entityName: null },
        ],
        key: 'rate',
        value,
        remove,
      })
    const controller = (zkMigrationReady: boolean) =>
      kept('RegisterControllerRecord', {
        controllerId: 1,
        incarnationId: id(1),
        zkMigrationReady,
        endPoints: [],
        features: [],
      })
    const unknown = [other(77), other(77), other(18, Buffer.from([9]), 5)]
    const image = imageOf([controller(true), quota(1), ...unknown, quota(2), controller(false)])
    expect(image.others).toEqual([...unknown, quota(2), controller(false)])
    image.apply([quota(2, true)], 9)
    expect(image.others).toEqual([...unknown, controller(false)])
    // It may concern the entry of an unknown version.
    const removal = kept('RemoveAccessControlEntryRecord', { id: id(1) })
    image.apply([removal], 10)
    expect(image.others.at(-1)).toEqual(removal)
  })

  test('there are none in the middle of a metadata transaction', () => {
    const image = imageOf([{ type: 'BeginTransactionRecord', value: { name: null } }])
    expect(() => [...imageRecords(image)]).toThrow(/middle of a metadata transaction/)
  })
})

/** What a record becomes when it is written under a level and read again. */
const asOf = (record: MetadataRecord, level: number): MetadataRecord => decodeRecord(encodeRecord(record, level), 0)

const dynamic: Quorum = {
  kraftVersion: 1,
  voters: [
    {
      voterId: 1,
      voterDirectoryId: DIRECTORY,
      endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
    },
  ],
}

describe('the file', () => {
  const source = new MetadataImage()
  for (const { records, endOffset } of loadBatches(kafkaLog('4.3.1-clean'))) source.apply(records, endOffset)
  const id3 = { offset: source.endOffset, epoch: 3 }
  const snapshot: SnapshotToWrite = { id: id3, image: source, quorum: fixedQuorum, lastContainedTimestamp: 1234 }
  const file = (o: Partial<SnapshotToWrite> = {}): Buffer =>
    Buffer.concat([...snapshotBatches({ ...snapshot, ...o }, 1_700_000_000_000)])

  test('has header, records and footer, with offsets from 0 and the epoch of its id', () => {
    const bytes = file({ quorum: dynamic })
    let next = 0
    const controls: string[] = []
    for (const at of batch.batchesOf(bytes)) {
      expect(batch.baseOffset(bytes, at)).toBe(next)
      expect(batch.partitionLeaderEpoch(bytes, at)).toBe(3)
      next = batch.nextOffset(bytes, at)
      if (batch.isControl(bytes, at))
        forEachRecord(bytes, at, ({ key }) => void controls.push(controlTypeName(decodeControlKey(key).type)))
    }
    expect(controls).toEqual(['SNAPSHOT_HEADER', 'KRAFT_VERSION', 'KRAFT_VOTERS', 'SNAPSHOT_FOOTER'])
    expect(headerTimestamp(bytes.subarray(0, 600))).toBe(1234)
  })

  test('gives back image, quorum and time', () => {
    const read = readSnapshot(file({ quorum: dynamic }), id3)
    expect(contents(read.image)).toEqual(contents(source))
    expect(read).toMatchObject({ quorum: dynamic, lastContainedTimestamp: 1234 })
    expect(read.image.endOffset).toBe(source.endOffset)
    expect(readSnapshot(file(), id3).quorum).toEqual(fixedQuorum)
  })

  test('cut off anywhere, or with a byte changed, it is refused', () => {
    const bytes = file()
    for (let length = 0; length < bytes.length; length += 7)
      expect(() => readSnapshot(bytes.subarray(0, length), id3)).toThrow(/it has no end|it is damaged at byte/)
    for (let at = 0; at < bytes.length; at += 11) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 0x40
      // Base offset and leader epoch of a batch lie outside its CRC; nothing depends on them.
      let refused = false
      try {
        const read = readSnapshot(damaged, id3)
        expect(contents(read.image)).toEqual(contents(source))
      } catch (error) {
        refused = (error as Error).name === 'MetadataReplayError'
        expect(refused).toBe(true)
      }
      const batches = [...batch.batchesOf(bytes)]
      const inBatch = at - batches.findLast(start => start <= at)!
      expect(refused).toBe(!(inBatch < 8 || (inBatch >= 12 && inBatch < 16)))
    }
  })
})
