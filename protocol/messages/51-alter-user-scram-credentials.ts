// AlterUserScramCredentials sets or deletes users' SCRAM credentials (KIP-554).
import { api } from '../api.ts'
import { array, bytes, int16, int32, int8, nullable, string } from '../schema.ts'

export const AlterUserScramCredentials = api(51, 'AlterUserScramCredentials', {
  versions: [0, 0],
  flexible: 0,
  request: {
    deletions: array({
      name: string,
      mechanism: int8,
    }),
    upsertions: array({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      saltedPassword: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({
      user: string,
      errorCode: int16,
      errorMessage: nullable.string,
    }),
  },
})
