// IncrementalAlterConfigs changes single keys of topics and brokers (KIP-339): set, delete, append to and subtract from
// lists.
import type { Refusal } from '../cluster/decision.ts'
import type { RequestOf } from '../../protocol/api.ts'
import type { RequestContext } from './handler.ts'
import { INVALID_REQUEST } from '../../protocol/errors.ts'
import { IncrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { ConfigOperation, isConfigOperation } from '../cluster/alter-configs.ts'
import { incrementalAlterConfigs as decide } from '../cluster/controller.ts'
import { refuse } from '../cluster/decision.ts'
import { ConfigResource } from '../cluster/records.ts'
import { alterLoggers, BROKER_LOGGER } from './broker-loggers.ts'
import { alterOptions, change, refuseAll, refuseEntries } from './config-changes.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof IncrementalAlterConfigs>
type Resource = Request['resources'][number]

export const incrementalAlterConfigs = handler(
  IncrementalAlterConfigs,
  { barrier: true, onError: (request, error) => ({ responses: refuseAll(request.resources, error) }) },
  async (request, context) => ({
    responses: await change(
      context,
      request.resources,
      resource => early(resource, request, context),
      (image, resources) => decide(image, resources, alterOptions(context, request.validateOnly)),
    ),
  }),
)

/** Loggers are this broker's own affair: what becomes of them is known before the controller is asked. */
function early(resource: Resource, { validateOnly }: Request, { broker }: RequestContext): Refusal | null {
  const refusal = refuseEdits(resource)
  if (refusal !== null || resource.resourceType !== BROKER_LOGGER) return refusal
  return alterLoggers(broker.levels, broker.nodeId, resource, validateOnly)
}

function refuseEdits({ resourceType, configs }: Resource): Refusal | null {
  const missing = configs.filter(
    ({ configOperation, value }) => configOperation !== ConfigOperation.DELETE && value === null,
  )
  const refusal = refuseEntries(
    configs.map(({ name }) => name),
    missing.map(({ name }) => name),
  )
  if (refusal !== null || resourceType !== ConfigResource.BROKER) return refusal
  const unknown = configs.find(({ configOperation }) => !isConfigOperation(configOperation))
  return unknown ? refuse(INVALID_REQUEST, `There is no operation ${unknown.configOperation}.`) : null
}
