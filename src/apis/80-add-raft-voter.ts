// AddRaftVoter makes a controller a voter of the metadata quorum (KIP-853). A fixed set of voters (kraft.version 0) does not allow
// it; a recorded one asks that the new voter has caught up with the metadata log, which no other node can follow here. Kafka:
// KafkaRaftClient.java (handleAddVoterRequest), AddVoterHandler.java.
import {
  DUPLICATE_VOTER,
  INCONSISTENT_CLUSTER_ID,
  INVALID_REQUEST,
  KafkaError,
  REQUEST_TIMED_OUT,
  UNSUPPORTED_VERSION,
} from '../../protocol/errors.ts'
import { AddRaftVoter } from '../../protocol/messages/80-add-raft-voter.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { controllerListenerName } from './controller-listener.ts'
import { handler } from './handler.ts'

export const addRaftVoter = handler(
  AddRaftVoter,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message }) },
  ({ clusterId, voterId, voterDirectoryId, listeners }, { broker }) => {
    if (clusterId !== null && clusterId !== broker.clusterId)
      throw new KafkaError(INCONSISTENT_CLUSTER_ID, `This is the cluster ${broker.clusterId}.`)
    if (voterId < 0 || voterDirectoryId === ZERO_UUID)
      throw new KafkaError(INVALID_REQUEST, 'The request names no voter.')
    const controller = controllerListenerName(broker)
    if (!listeners.some(({ name }) => name.toUpperCase() === controller))
      throw new KafkaError(INVALID_REQUEST, `The request names no listener ${controller}.`)
    const { kraftVersion, voters } = broker.metadata.quorum
    if (kraftVersion === 0) throw new KafkaError(UNSUPPORTED_VERSION, 'The set of voters is fixed: kraft.version is 0.')
    if (voters?.some(voter => voter.voterId === voterId))
      throw new KafkaError(DUPLICATE_VOTER, `Node ${voterId} is a voter.`)
    throw new KafkaError(REQUEST_TIMED_OUT, `Node ${voterId} has not caught up with the metadata log.`)
  },
)
