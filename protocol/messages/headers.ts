// headers
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
