// PushTelemetry takes a client's metrics (KIP-714); the broker keeps the newest of each client.
import { PushTelemetry } from '../../protocol/messages/72-push-telemetry.ts'
import { handler } from './handler.ts'
import { telemetryClient } from './telemetry-client.ts'

export const pushTelemetry = handler(
  PushTelemetry,
  { onError: (_request, error) => ({ errorCode: error.code }) },
  async (request, context) => ({
    errorCode: await context.broker.telemetry.push(request, telemetryClient(context), context.now),
  }),
)
