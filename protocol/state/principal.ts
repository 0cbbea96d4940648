// principal
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
