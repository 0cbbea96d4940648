// The headers that stand before every request and response; which version goes with which API is in api.ts.
// RequestHeader v0 was ControlledShutdown's alone. v2 and ResponseHeader v1 are the flexible ones (KIP-482);
// clientId stays a string with an int16 length in all of them, so that a broker can read it before it knows the
// version.
import { message } from '../api.ts'
import { int16, int32, since } from '../schema.ts'

export const RequestHeader = message('RequestHeader', {
  versions: [0, 2],
  flexible: 2,
  fields: {
    requestApiKey: int16,
    requestApiVersion: int16,
    correlationId: int32,
    clientId: since(1).nullable.ignorable.plain.string,
  },
})

export const ResponseHeader = message('ResponseHeader', {
  versions: [0, 1],
  flexible: 1,
  fields: {
    correlationId: int32,
  },
})
