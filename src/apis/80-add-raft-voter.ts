// AddRaftVoter makes a controller a voter of the metadata quorum (KIP-853), which a fixed set of voters (kraft.version 0)
// does not allow. Kafka: KafkaRaftClient.java (handleAddVoterRequest), AddVoterHandler.java.
import { INCONSISTENT_CLUSTER_ID, INVALID_REQUEST, KafkaError, UNSUPPORTED_VERSION } from '../../protocol/errors.ts'
import { AddRaftVoter } from '../../protocol/messages/80-add-raft-voter.ts'
import { ZERO_UUID } from '../../protocol/schema.ts'
import { handler } from './handler.ts'

/** What Kafka calls the listener of controllers; there is none here. */
const CONTROLLER_LISTENER = 'CONTROLLER'

export const addRaftVoter = handler(
  AddRaftVoter,
  { onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message }) },
  ({ clusterId, voterId, voterDirectoryId, listeners }, { broker }) => {
    if (clusterId !== null && clusterId !== broker.clusterId)
      throw new KafkaError(INCONSISTENT_CLUSTER_ID, `This is the cluster ${broker.clusterId}.`)
    if (voterId < 0 || voterDirectoryId === ZERO_UUID)
      throw new KafkaError(INVALID_REQUEST, 'The request names no voter.')
    if (!listeners.some(({ name }) => name === CONTROLLER_LISTENER))
      throw new KafkaError(INVALID_REQUEST, `The request names no listener ${CONTROLLER_LISTENER}.`)
    throw new KafkaError(UNSUPPORTED_VERSION, 'The set of voters is fixed: kraft.version is 0.')
  },
)
