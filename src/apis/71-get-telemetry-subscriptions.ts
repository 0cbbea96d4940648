// GetTelemetrySubscriptions tells a client which of its metrics are wanted (KIP-714). Kafka advertises this and PushTelemetry
// only where a plugin takes what is pushed; here the broker keeps it itself.
import { GetTelemetrySubscriptions } from '../../protocol/messages/71-get-telemetry-subscriptions.ts'
import { refusedGet } from '../observe/client-telemetry.ts'
import { handler } from './handler.ts'
import { telemetryClient } from './telemetry-client.ts'

export const getTelemetrySubscriptions = handler(
  GetTelemetrySubscriptions,
  { onError: (_request, error) => refusedGet(error.code) },
  (request, context) => context.broker.telemetry.subscriptionOf(request, telemetryClient(context), context.now),
)
