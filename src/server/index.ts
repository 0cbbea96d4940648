// The wire side of the broker: createServer and what it takes.
export type { Bound, Server, ServerOptions } from './listener.ts'
export type { Call, ConnectionInfo, Handler, ServerLimits } from './types.ts'
export { ListenError } from './bind.ts'
export { createServer } from './listener.ts'
export { defaultLimits } from './types.ts'
