// A principal as brokers hand it on when they forward a request (KIP-590), its version in front.
import { message } from '../api.ts'
import { bool, string } from '../schema.ts'

export const DefaultPrincipalData = message('DefaultPrincipalData', {
  versions: [0, 0],
  flexible: 0,
  fields: {
    type: string,
    name: string,
    tokenAuthenticated: bool,
  },
})
