// What the server counts: plain numbers, each declared here, read by whoever exports metrics.

export interface ApiCounters {
  requests: number
  /** Size of the frames, without their size prefix. */
  requestBytes: number
  /** Answers given through an error path: a handler threw. */
  failures: number
}

export interface ServerCounters {
  connectionsAccepted: number
  /** Closed at once: max.connections or max.connections.per.ip. */
  connectionsRefused: number
  connectionsOpen: number
  /** Closed because nothing happened for connections.max.idle.ms. */
  connectionsExpired: number
  /** accept() failed, mostly for want of file descriptors. */
  acceptErrors: number
  bytesReceived: number
  bytesSent: number
  /** Frames with an unknown API or version, or a size above a limit. */
  requestsRefused: number
  /** Frames that do not decode. */
  requestsMalformed: number
  /** Times that reading from a connection was stopped: a barrier, or too much in flight. */
  readingPaused: number
  readonly apis: Map<string, ApiCounters>
}

export function serverCounters(): ServerCounters {
  return {
    connectionsAccepted: 0,
    connectionsRefused: 0,
    connectionsOpen: 0,
    connectionsExpired: 0,
    acceptErrors: 0,
    bytesReceived: 0,
    bytesSent: 0,
    requestsRefused: 0,
    requestsMalformed: 0,
    readingPaused: 0,
    apis: new Map(),
  }
}

export function apiCounters(counters: ServerCounters, api: string): ApiCounters {
  let found = counters.apis.get(api)
  if (!found) counters.apis.set(api, (found = { requests: 0, requestBytes: 0, failures: 0 }))
  return found
}
