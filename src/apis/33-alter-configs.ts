// AlterConfigs replaces whole configurations of topics and brokers (KIP-133); what is not named goes back to its default.
import { AlterConfigs } from '../../protocol/messages/33-alter-configs.ts'
import { alterConfigs as decide } from '../cluster/controller.ts'
import { alterOptions, change, refuseAll, refuseEntries } from './config-changes.ts'
import { handler } from './handler.ts'

export const alterConfigs = handler(
  AlterConfigs,
  { barrier: true, onError: (request, error) => ({ responses: refuseAll(request.resources, error) }) },
  async (request, context) => ({
    responses: await change(
      context,
      request.resources,
      ({ configs }) =>
        refuseEntries(
          configs.map(({ name }) => name),
          configs.filter(({ value }) => value === null).map(({ name }) => name),
        ),
      (image, resources) =>
        decide(
          image,
          // None of the values is null any more.
          resources.map(({ configs, ...of }) => ({
            ...of,
            configs: configs.map(({ name, value }) => ({ name, value: value ?? '' })),
          })),
          alterOptions(context, request.validateOnly),
        ),
    ),
  }),
)
