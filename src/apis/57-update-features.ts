// UpdateFeatures raises and lowers the levels of features, all of a request or none (KIP-584). Kafka: QuorumController.java
// (updateFeatures).
import { NONE } from '../../protocol/errors.ts'
import { UpdateFeatures } from '../../protocol/messages/57-update-features.ts'
import { updateFeatures as decide } from '../cluster/update-features.ts'
import { startedWith } from '../config/index.ts'
import { controllerListener } from './controller-listener.ts'
import { supportedAs } from './features.ts'
import { handler } from './handler.ts'

export const updateFeatures = handler(
  UpdateFeatures,
  {
    barrier: true,
    onError: (_request, error) => ({ errorCode: error.code, errorMessage: error.message, results: [] }),
  },
  async ({ featureUpdates, validateOnly }, { broker, connection }) => {
    const options = {
      validateOnly,
      supported: supportedAs(broker.config['odradek.as.version'], broker.features().supported),
      minInsyncReplicas: startedWith(broker.config, 'min.insync.replicas'),
      voter: {
        voterId: broker.nodeId,
        voterDirectoryId: broker.dirs.metadataDir.directoryId,
        endpoints: [controllerListener(broker, connection)],
      },
    }
    const refusal = await broker.metadata.submit((image, quorum) => decide(image, quorum, featureUpdates, options))
    if (refusal.errorCode !== NONE)
      return { ...refusal, errorMessage: `Nothing was changed: ${refusal.errorMessage}`, results: [] }
    // From version 2 on there are no results (the schema leaves them out).
    return {
      ...refusal,
      results: featureUpdates.map(({ feature }) => ({ feature, errorCode: NONE, errorMessage: 'NONE' })),
    }
  },
)
