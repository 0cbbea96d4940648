// What each Kafka release serves, for `--as-version`: version ranges of every API on a broker's listener and levels of
// features. From the message definitions (validVersions, without a latestVersionUnstable), ApiKeys.java,
// MetadataVersion.java (LATEST_PRODUCTION) and the other *Version.java of each release's branch.

export type Range = readonly [min: number, max: number]

export const releases = ['3.9', '4.0', '4.1', '4.2', '4.3', '4.4'] as const
export type Release = (typeof releases)[number]

/** The range in a release holds until another one follows; no range: the release does not serve it. */
type Since = { readonly [R in Release]?: Range }

const apiRanges: Readonly<Record<string, Since>> = {
  Produce: { '3.9': [0, 11], '4.0': [3, 12], '4.1': [3, 13] },
  Fetch: { '3.9': [0, 17], '4.0': [4, 17], '4.1': [4, 18] },
  ListOffsets: { '3.9': [0, 9], '4.0': [1, 10], '4.2': [1, 11] },
  Metadata: { '3.9': [0, 12], '4.0': [0, 13] },
  OffsetCommit: { '3.9': [0, 9], '4.0': [2, 9], '4.2': [2, 10] },
  OffsetFetch: { '3.9': [0, 9], '4.0': [1, 9], '4.2': [1, 10] },
  FindCoordinator: { '3.9': [0, 6] },
  JoinGroup: { '3.9': [0, 9] },
  Heartbeat: { '3.9': [0, 4] },
  LeaveGroup: { '3.9': [0, 5] },
  SyncGroup: { '3.9': [0, 5] },
  DescribeGroups: { '3.9': [0, 5], '4.0': [0, 6] },
  ListGroups: { '3.9': [0, 5] },
  SaslHandshake: { '3.9': [0, 1] },
  ApiVersions: { '3.9': [0, 4], '4.4': [0, 5] },
  CreateTopics: { '3.9': [0, 7], '4.0': [2, 7] },
  DeleteTopics: { '3.9': [0, 6], '4.0': [1, 6] },
  DeleteRecords: { '3.9': [0, 2] },
  InitProducerId: { '3.9': [0, 5] },
  OffsetForLeaderEpoch: { '3.9': [0, 4], '4.0': [2, 4] },
  AddPartitionsToTxn: { '3.9': [0, 5] },
  AddOffsetsToTxn: { '3.9': [0, 4] },
  EndTxn: { '3.9': [0, 4], '4.0': [0, 5] },
  WriteTxnMarkers: { '3.9': [0, 1], '4.0': [1, 1], '4.2': [1, 2] },
  TxnOffsetCommit: { '3.9': [0, 4], '4.0': [0, 5], '4.4': [0, 6] },
  DescribeAcls: { '3.9': [0, 3], '4.0': [1, 3] },
  CreateAcls: { '3.9': [0, 3], '4.0': [1, 3] },
  DeleteAcls: { '3.9': [0, 3], '4.0': [1, 3] },
  DescribeConfigs: { '3.9': [0, 4], '4.0': [1, 4] },
  AlterConfigs: { '3.9': [0, 2] },
  AlterReplicaLogDirs: { '3.9': [0, 2], '4.0': [1, 2] },
  DescribeLogDirs: { '3.9': [0, 4], '4.0': [1, 4], '4.3': [1, 5] },
  SaslAuthenticate: { '3.9': [0, 2] },
  CreatePartitions: { '3.9': [0, 3] },
  CreateDelegationToken: { '3.9': [0, 3], '4.0': [1, 3] },
  RenewDelegationToken: { '3.9': [0, 2], '4.0': [1, 2] },
  ExpireDelegationToken: { '3.9': [0, 2], '4.0': [1, 2] },
  DescribeDelegationToken: { '3.9': [0, 3], '4.0': [1, 3] },
  DeleteGroups: { '3.9': [0, 2], '4.4': [0, 3] },
  ElectLeaders: { '3.9': [0, 2] },
  IncrementalAlterConfigs: { '3.9': [0, 1] },
  AlterPartitionReassignments: { '3.9': [0, 0], '4.1': [0, 1] },
  ListPartitionReassignments: { '3.9': [0, 0] },
  OffsetDelete: { '3.9': [0, 0] },
  DescribeClientQuotas: { '3.9': [0, 1] },
  AlterClientQuotas: { '3.9': [0, 1] },
  DescribeUserScramCredentials: { '3.9': [0, 0] },
  AlterUserScramCredentials: { '3.9': [0, 0] },
  DescribeQuorum: { '3.9': [0, 2] },
  UpdateFeatures: { '3.9': [0, 1], '4.0': [0, 2] },
  DescribeCluster: { '3.9': [0, 1], '4.0': [0, 2] },
  DescribeProducers: { '3.9': [0, 0] },
  UnregisterBroker: { '3.9': [0, 0] },
  DescribeTransactions: { '3.9': [0, 0] },
  ListTransactions: { '3.9': [0, 1], '4.1': [0, 2] },
  ConsumerGroupHeartbeat: { '3.9': [0, 0], '4.0': [0, 1] },
  ConsumerGroupDescribe: { '3.9': [0, 0], '4.0': [0, 1] },
  GetTelemetrySubscriptions: { '3.9': [0, 0] },
  PushTelemetry: { '3.9': [0, 0] },
  ListConfigResources: { '3.9': [0, 0], '4.1': [0, 1] },
  DescribeTopicPartitions: { '3.9': [0, 0] },
  ShareGroupHeartbeat: { '4.1': [1, 1] },
  ShareGroupDescribe: { '4.1': [1, 1] },
  ShareFetch: { '4.1': [1, 1], '4.2': [1, 2] },
  ShareAcknowledge: { '4.1': [1, 1], '4.2': [1, 2] },
  AddRaftVoter: { '3.9': [0, 0], '4.2': [0, 1] },
  RemoveRaftVoter: { '3.9': [0, 0] },
  InitializeShareGroupState: { '4.1': [0, 0] },
  ReadShareGroupState: { '4.1': [0, 0] },
  WriteShareGroupState: { '4.1': [0, 0], '4.2': [0, 1] },
  DeleteShareGroupState: { '4.1': [0, 0] },
  ReadShareGroupStateSummary: { '4.1': [0, 0], '4.2': [0, 1] },
  StreamsGroupHeartbeat: { '4.2': [0, 0], '4.4': [0, 1] },
  StreamsGroupDescribe: { '4.2': [0, 0], '4.4': [0, 1] },
  DescribeShareGroupOffsets: { '4.1': [0, 0], '4.2': [0, 1] },
  AlterShareGroupOffsets: { '4.1': [0, 0] },
  DeleteShareGroupOffsets: { '4.1': [0, 0] },
  StreamsGroupTopologyDescriptionUpdate: { '4.4': [0, 0] },
  UnregisterController: { '4.4': [0, 0] },
}

/** Levels that a release says it supports; a feature whose highest level would be 0 is not told. */
const featureRanges: Readonly<Record<string, Since>> = {
  'eligible.leader.replicas.version': { '4.0': [0, 1] },
  'group.version': { '4.0': [0, 1] },
  'kraft.version': { '3.9': [0, 1] },
  'metadata.version': { '3.9': [1, 21], '4.0': [7, 25], '4.1': [7, 27], '4.2': [7, 29], '4.3': [7, 30] },
  'share.version': { '4.1': [0, 1], '4.4': [0, 2] },
  'streams.version': { '4.2': [0, 1] },
  'transaction.version': { '4.0': [0, 2] },
}

export const isRelease = (name: string): name is Release => (releases as readonly string[]).includes(name)

/** The versions of an API that a release serves, by Kafka's newest name of it; undefined: none. */
export const apiRange = (release: Release, api: string): Range | undefined => at(apiRanges[api], release)

/**
 * The versions that the release tells in ApiVersions. They are those it serves, but Kafka 4.x tells Produce from 0 and
 * refuses 0 to 2, since librdkafka below 2.11 would not compress otherwise (KAFKA-18659).
 */
export function advertisedRange(release: Release, api: string): Range | undefined {
  const range = apiRange(release, api)
  return range && api === 'Produce' ? [0, range[1]] : range
}

/** The levels of a feature that a release supports; undefined: it does not know the feature. */
export const featureRange = (release: Release, feature: string): Range | undefined =>
  at(featureRanges[feature], release)

/** What both allow; undefined: nothing. */
export function overlap([a, b]: Range, [c, d]: Range): Range | undefined {
  const [min, max] = [Math.max(a, c), Math.min(b, d)]
  return min <= max ? [min, max] : undefined
}

function at(since: Since | undefined, release: Release): Range | undefined {
  const newest = releases.slice(0, releases.indexOf(release) + 1).findLast(name => since?.[name] !== undefined)
  return newest && since![newest]
}
