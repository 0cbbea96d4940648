// PushTelemetry delivers a client's metrics as OTLP (KIP-714).
import { api } from '../api.ts'
import { bool, bytes, int16, int32, int8, uuid } from '../schema.ts'

export const PushTelemetry = api(72, 'PushTelemetry', {
  versions: [0, 0],
  flexible: 0,
  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    terminating: bool,
    compressionType: int8,
    metrics: bytes,
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
  },
})
