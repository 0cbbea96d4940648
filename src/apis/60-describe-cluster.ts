// DescribeCluster tells the brokers of the cluster (KIP-700; endpoint types: KIP-919). Kafka: AuthHelper.java.
import { INVALID_REQUEST, MISMATCHED_ENDPOINT_TYPE, NONE, UNSUPPORTED_ENDPOINT_TYPE } from '../../protocol/errors.ts'
import { DescribeCluster } from '../../protocol/messages/60-describe-cluster.ts'
import { CLUSTER_OPERATIONS } from './authorized-operations.ts'
import { handler } from './handler.ts'

const BROKERS = 1
const CONTROLLERS = 2

export const describeCluster = handler(
  DescribeCluster,
  {
    onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message, clusterId: '', brokers: [] }),
  },
  (request, { broker, connection, apiVersion }) => {
    if (request.endpointType !== BROKERS) {
      const known = request.endpointType === CONTROLLERS
      return {
        errorCode: apiVersion === 0 ? INVALID_REQUEST : known ? MISMATCHED_ENDPOINT_TYPE : UNSUPPORTED_ENDPOINT_TYPE,
        errorMessage: known
          ? 'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER'
          : `Unsupported endpoint type ${request.endpointType}`,
        clusterId: '',
        brokers: [],
      }
    }
    return {
      errorCode: NONE,
      errorMessage: null,
      endpointType: BROKERS,
      clusterId: broker.clusterId,
      controllerId: broker.nodeId,
      brokers: broker
        .nodes(connection)
        .map(({ nodeId, host, port, rack }) => ({ brokerId: nodeId, host, port, rack, isFenced: false })),
      ...(request.includeClusterAuthorizedOperations && { clusterAuthorizedOperations: CLUSTER_OPERATIONS }),
    }
  },
)
