// DescribeUserScramCredentials lists users' SCRAM mechanisms and iterations, never the secrets (KIP-554).
import { api } from '../api.ts'
import { array, int16, int32, int8, nullable, string } from '../schema.ts'

export const DescribeUserScramCredentials = api(50, 'DescribeUserScramCredentials', {
  versions: [0, 0],
  flexible: 0,
  request: {
    users: nullable.array({
      name: string,
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string,
    results: array({
      user: string,
      errorCode: int16,
      errorMessage: nullable.string,
      credentialInfos: array({
        mechanism: int8,
        iterations: int32,
      }),
    }),
  },
})
