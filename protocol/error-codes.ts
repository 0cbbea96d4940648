// Kafka's error codes (Errors.java of 4.4) with texts of ours. `retriable` are those that Kafka's clients may try again
// (RetriableException and its subclasses). Use them through errors.ts, which adds the names.

interface Entry {
  readonly message: string
  readonly retriable: boolean
}
const table = new Map<number, Entry>()

function define<const C extends number>(code: C, message: string): C {
  table.set(code, { message, retriable: false })
  return code
}

function retriable<const C extends number>(code: C, message: string): C {
  table.set(code, { message, retriable: true })
  return code
}

export const UNKNOWN_SERVER_ERROR = define(-1, 'The broker failed in an unexpected way while it handled the request.')
export const NONE = define(0, 'No error.')
export const OFFSET_OUT_OF_RANGE = define(1, 'The offset lies before the start or past the end of the log.')
export const CORRUPT_MESSAGE = retriable(
  2,
  'The record batch is damaged: wrong checksum, impossible size or malformed content.',
)
export const UNKNOWN_TOPIC_OR_PARTITION = retriable(3, 'This broker knows no such topic or partition.')
export const INVALID_FETCH_SIZE = define(4, 'The fetch size is not valid.')
export const LEADER_NOT_AVAILABLE = retriable(5, 'The partition has no leader at the moment.')
export const NOT_LEADER_OR_FOLLOWER = retriable(
  6,
  'This broker is not the leader of the partition, or holds no replica of it.',
)
export const REQUEST_TIMED_OUT = retriable(7, 'The request was not finished within its time-out.')
export const BROKER_NOT_AVAILABLE = define(8, 'The broker is not available.')
export const REPLICA_NOT_AVAILABLE = retriable(9, 'The replica is not available on this broker.')
export const MESSAGE_TOO_LARGE = define(10, 'The record batch is larger than max.message.bytes allows.')
export const STALE_CONTROLLER_EPOCH = define(11, 'The controller has moved to another node.')
export const OFFSET_METADATA_TOO_LARGE = define(12, 'The text committed with an offset is longer than allowed.')
export const NETWORK_EXCEPTION = retriable(13, 'The connection was lost before the answer came.')
export const COORDINATOR_LOAD_IN_PROGRESS = retriable(14, 'The coordinator is still reading its state.')
export const COORDINATOR_NOT_AVAILABLE = retriable(15, 'There is no coordinator at the moment.')
export const NOT_COORDINATOR = retriable(16, 'This broker is not the coordinator asked for.')
export const INVALID_TOPIC_EXCEPTION = define(
  17,
  'The topic name is not allowed, or the topic may not be used this way.',
)
export const RECORD_LIST_TOO_LARGE = define(18, 'The record batch is larger than a log segment may be.')
export const NOT_ENOUGH_REPLICAS = retriable(
  19,
  'Fewer replicas are in sync than min.insync.replicas asks for; nothing was written.',
)
export const NOT_ENOUGH_REPLICAS_AFTER_APPEND = retriable(
  20,
  'The records were written, but to fewer in-sync replicas than asked for.',
)
export const INVALID_REQUIRED_ACKS = define(21, 'acks must be 0, 1 or -1.')
export const ILLEGAL_GENERATION = define(22, "The generation is not the group's current one.")
export const INCONSISTENT_GROUP_PROTOCOL = define(23, 'The member shares no protocol with the group, or named none.')
export const INVALID_GROUP_ID = define(24, 'The group id is not valid.')
export const UNKNOWN_MEMBER_ID = define(25, 'The group has no such member.')
export const INVALID_SESSION_TIMEOUT = define(26, 'The session time-out is outside group.min/max.session.timeout.ms.')
export const REBALANCE_IN_PROGRESS = define(27, 'The group is rebalancing: join again.')
export const INVALID_COMMIT_OFFSET_SIZE = define(28, 'The data of the offset commit is too large.')
export const TOPIC_AUTHORIZATION_FAILED = define(29, 'Not authorized for this topic.')
export const GROUP_AUTHORIZATION_FAILED = define(30, 'Not authorized for this group.')
export const CLUSTER_AUTHORIZATION_FAILED = define(31, 'Not authorized for this operation on the cluster.')
export const INVALID_TIMESTAMP = define(32, "The record's timestamp is outside the range the topic accepts.")
export const UNSUPPORTED_SASL_MECHANISM = define(33, 'The broker does not offer this SASL mechanism.')
export const ILLEGAL_SASL_STATE = define(34, 'The request does not fit the state of the SASL exchange.')
export const UNSUPPORTED_VERSION = define(
  35,
  'This version of the API, or a feature the request needs, is not supported.',
)
export const TOPIC_ALREADY_EXISTS = define(36, 'A topic of this name exists already.')
export const INVALID_PARTITIONS = define(37, 'The number of partitions is not valid.')
export const INVALID_REPLICATION_FACTOR = define(
  38,
  'The replication factor is below 1 or above the number of brokers.',
)
export const INVALID_REPLICA_ASSIGNMENT = define(39, 'The assignment of replicas is not valid.')
export const INVALID_CONFIG = define(40, 'The configuration is not valid.')
export const NOT_CONTROLLER = retriable(41, 'This node is not the controller.')
export const INVALID_REQUEST = define(42, 'The request contradicts itself or the protocol.')
export const UNSUPPORTED_FOR_MESSAGE_FORMAT = define(43, 'The record format of the log cannot do what was asked.')
export const POLICY_VIOLATION = define(44, 'The request breaks a policy of the broker.')
export const OUT_OF_ORDER_SEQUENCE_NUMBER = define(45, "The producer's sequence number is not the one expected next.")
export const DUPLICATE_SEQUENCE_NUMBER = define(46, "The producer's sequence number was seen before.")
export const INVALID_PRODUCER_EPOCH = define(47, "The producer's epoch is older than the one known.")
export const INVALID_TXN_STATE = define(48, 'The transaction is not in a state that allows this.')
export const INVALID_PRODUCER_ID_MAPPING = define(49, 'The producer id does not belong to this transactional id.')
export const INVALID_TRANSACTION_TIMEOUT = define(50, 'The transaction time-out is above transaction.max.timeout.ms.')
export const CONCURRENT_TRANSACTIONS = retriable(51, 'Another operation on this transaction is still under way.')
export const TRANSACTION_COORDINATOR_FENCED = define(
  52,
  'The transaction marker comes from a coordinator that has been replaced.',
)
export const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = define(53, 'Not authorized for this transactional id.')
export const SECURITY_DISABLED = define(54, 'No authorizer is configured.')
export const OPERATION_NOT_ATTEMPTED = define(55, 'Not tried, because another part of the request failed.')
export const KAFKA_STORAGE_ERROR = retriable(56, 'The disk failed while the log was used.')
export const LOG_DIR_NOT_FOUND = define(57, 'The broker has no such log directory.')
export const SASL_AUTHENTICATION_FAILED = define(58, 'The credentials were not accepted.')
export const UNKNOWN_PRODUCER_ID = define(59, 'Nothing is known of this producer id.')
export const REASSIGNMENT_IN_PROGRESS = define(60, 'The partition is being reassigned.')
export const DELEGATION_TOKEN_AUTH_DISABLED = define(61, 'Delegation tokens are not enabled.')
export const DELEGATION_TOKEN_NOT_FOUND = define(62, 'No such delegation token.')
export const DELEGATION_TOKEN_OWNER_MISMATCH = define(63, 'The principal neither owns nor may renew the token.')
export const DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = define(
  64,
  'Delegation tokens cannot be asked for over this kind of connection.',
)
export const DELEGATION_TOKEN_AUTHORIZATION_FAILED = define(65, 'Not authorized for this delegation token.')
export const DELEGATION_TOKEN_EXPIRED = define(66, 'The delegation token has expired.')
export const INVALID_PRINCIPAL_TYPE = define(67, 'This type of principal is not supported.')
export const NON_EMPTY_GROUP = define(68, 'The group still has members.')
export const GROUP_ID_NOT_FOUND = define(69, 'There is no such group.')
export const FETCH_SESSION_ID_NOT_FOUND = retriable(70, 'There is no such fetch session.')
export const INVALID_FETCH_SESSION_EPOCH = retriable(71, 'The epoch of the fetch session is not the one expected.')
export const LISTENER_NOT_FOUND = retriable(72, 'The leader has no listener of the name the request came in by.')
export const TOPIC_DELETION_DISABLED = define(73, 'Topics may not be deleted (delete.topic.enable is false).')
export const FENCED_LEADER_EPOCH = retriable(74, "The leader epoch is older than the broker's.")
export const UNKNOWN_LEADER_EPOCH = retriable(75, "The leader epoch is newer than the broker's.")
export const UNSUPPORTED_COMPRESSION_TYPE = define(
  76,
  'The compression codec is not allowed in this version of the request.',
)
export const STALE_BROKER_EPOCH = define(77, "The broker's epoch is not the current one.")
export const OFFSET_NOT_AVAILABLE = retriable(78, 'The new leader does not yet know an offset that is safe to give.')
export const MEMBER_ID_REQUIRED = define(79, 'Join again with the member id in this answer.')
export const PREFERRED_LEADER_NOT_AVAILABLE = retriable(80, 'The preferred leader is not available.')
export const GROUP_MAX_SIZE_REACHED = define(81, 'The group has as many members as group.max.size allows.')
export const FENCED_INSTANCE_ID = define(82, 'Another member has taken over this group.instance.id.')
export const ELIGIBLE_LEADERS_NOT_AVAILABLE = retriable(83, 'No replica that may lead is available.')
export const ELECTION_NOT_NEEDED = retriable(84, 'The partition needs no election.')
export const NO_REASSIGNMENT_IN_PROGRESS = define(85, 'The partition is not being reassigned.')
export const GROUP_SUBSCRIBED_TO_TOPIC = define(
  86,
  'The group is subscribed to the topic, so its offsets cannot be deleted.',
)
export const INVALID_RECORD = define(87, 'A record of the batch is not acceptable.')
export const UNSTABLE_OFFSET_COMMIT = retriable(88, 'Offsets of an open transaction are pending.')
export const THROTTLING_QUOTA_EXCEEDED = retriable(89, 'The quota for such requests is used up.')
export const PRODUCER_FENCED = define(90, 'A newer producer uses this transactional id.')
export const RESOURCE_NOT_FOUND = define(91, 'There is no such resource.')
export const DUPLICATE_RESOURCE = define(92, 'The request names the same resource twice.')
export const UNACCEPTABLE_CREDENTIAL = define(93, 'The credential does not meet the rules.')
export const INCONSISTENT_VOTER_SET = define(94, 'Sender or receiver is not one of the expected voters.')
export const INVALID_UPDATE_VERSION = define(95, 'The version to update to is not valid.')
export const FEATURE_UPDATE_FAILED = define(96, 'The feature could not be updated.')
export const PRINCIPAL_DESERIALIZATION_FAILURE = define(97, 'The principal of a forwarded request cannot be read.')
export const SNAPSHOT_NOT_FOUND = define(98, 'There is no such snapshot.')
export const POSITION_OUT_OF_RANGE = define(99, 'The position lies outside the snapshot.')
export const UNKNOWN_TOPIC_ID = retriable(100, 'This broker knows no topic of this id.')
export const DUPLICATE_BROKER_REGISTRATION = define(101, 'The broker id is taken.')
export const BROKER_ID_NOT_REGISTERED = define(102, 'No broker is registered under this id.')
export const INCONSISTENT_TOPIC_ID = retriable(103, 'The topic id is not that of the log.')
export const INCONSISTENT_CLUSTER_ID = define(104, "The cluster id is not this cluster's.")
export const TRANSACTIONAL_ID_NOT_FOUND = define(105, 'There is no such transactional id.')
export const FETCH_SESSION_TOPIC_ID_ERROR = retriable(106, 'The fetch session mixes topic names and topic ids.')
export const INELIGIBLE_REPLICA = define(107, 'A replica that may not be in the ISR was named.')
export const NEW_LEADER_ELECTED = define(108, 'The change was made, and it made another broker leader.')
export const OFFSET_MOVED_TO_TIERED_STORAGE = define(109, 'The offset is in tiered storage.')
export const FENCED_MEMBER_EPOCH = define(110, "The member's epoch is fenced: give up all partitions and join again.")
export const UNRELEASED_INSTANCE_ID = define(111, 'Another member still holds this instance id.')
export const UNSUPPORTED_ASSIGNOR = define(112, 'The group does not support the assignor.')
export const STALE_MEMBER_EPOCH = define(113, "The member's epoch is old: heartbeat first.")
export const MISMATCHED_ENDPOINT_TYPE = define(114, 'The request belongs to an endpoint of another type.')
export const UNSUPPORTED_ENDPOINT_TYPE = define(115, 'This type of endpoint is not supported.')
export const UNKNOWN_CONTROLLER_ID = define(116, 'No controller has this id.')
export const UNKNOWN_SUBSCRIPTION_ID = define(117, 'The telemetry subscription is unknown or out of date.')
export const TELEMETRY_TOO_LARGE = define(118, 'The telemetry data is larger than allowed.')
export const INVALID_REGISTRATION = define(119, "The broker's registration is not valid.")
export const TRANSACTION_ABORTABLE = define(120, 'The transaction cannot go on; abort it and start another.')
export const INVALID_RECORD_STATE = define(121, 'The record is not in a state that allows this acknowledgement.')
export const SHARE_SESSION_NOT_FOUND = retriable(122, 'There is no such share session.')
export const INVALID_SHARE_SESSION_EPOCH = retriable(123, 'The epoch of the share session is not the one expected.')
export const FENCED_STATE_EPOCH = define(124, "The state epoch is not the coordinator's.")
export const INVALID_VOTER_KEY = define(125, "The voter's key is not that of the replica asked.")
export const DUPLICATE_VOTER = define(126, 'The replica is a voter already.')
export const VOTER_NOT_FOUND = define(127, 'The replica is not a voter.')
export const INVALID_REGULAR_EXPRESSION = define(128, 'The regular expression is not valid.')
export const REBOOTSTRAP_REQUIRED = define(129, "The client's metadata is out of date: bootstrap again.")
export const STREAMS_INVALID_TOPOLOGY = define(130, 'The topology is not valid.')
export const STREAMS_INVALID_TOPOLOGY_EPOCH = define(131, 'The topology epoch is not valid.')
export const STREAMS_TOPOLOGY_FENCED = define(132, 'The topology epoch is old.')
export const SHARE_SESSION_LIMIT_REACHED = retriable(133, 'There are as many share sessions as allowed.')
export const GROUP_DELETION_FAILED = define(134, 'The group could not be deleted; its own message says why.')
export const STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED = define(135, "The topology's description could not be stored.")
export const CONTROLLER_ID_NOT_REGISTERED = define(136, 'No controller is registered under this id.')

/** Text and kind of each code. */
export const entries: ReadonlyMap<number, Entry> = table
