// GetTelemetrySubscriptions tells a client which of its metrics are wanted, and how often (KIP-714).
import { api } from '../api.ts'
import { array, bool, int16, int32, int8, string, uuid } from '../schema.ts'

export const GetTelemetrySubscriptions = api(71, 'GetTelemetrySubscriptions', {
  versions: [0, 0],
  flexible: 0,
  request: {
    clientInstanceId: uuid,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    clientInstanceId: uuid,
    subscriptionId: int32,
    acceptedCompressionTypes: array(int8),
    pushIntervalMs: int32,
    telemetryMaxBytes: int32,
    deltaTemporality: bool,
    requestedMetrics: array(string),
  },
})
