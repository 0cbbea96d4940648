// SaslHandshake chooses the SASL mechanism; the answer lists those enabled.
// After v0 the tokens follow without Kafka's framing, after v1 in SaslAuthenticate (KIP-152). There can be no v2:
// Java clients up to 2.4 would negotiate it wrongly (KAFKA-9577).
import { api } from '../api.ts'
import { array, int16, string } from '../schema.ts'

export const SaslHandshake = api(17, 'SaslHandshake', {
  versions: [0, 1],
  request: {
    mechanism: string,
  },
  response: {
    errorCode: int16,
    mechanisms: array(string),
  },
})
