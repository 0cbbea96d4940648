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
  /** Closed at once: max.connections.per.ip, or too many that wait. */
  connectionsRefused: number
  /** Closed because there were more than max.connections. */
  connectionsDisplaced: number
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
  /** Closed because they held memory that others waited for, and stood still. */
  connectionsShed: number
  readonly apis: Map<string, ApiCounters>
}

export function serverCounters(): ServerCounters {
  return {
    connectionsAccepted: 0,
    connectionsRefused: 0,
    connectionsDisplaced: 0,
    connectionsOpen: 0,
    connectionsExpired: 0,
    acceptErrors: 0,
    bytesReceived: 0,
    bytesSent: 0,
    requestsRefused: 0,
    requestsMalformed: 0,
    readingPaused: 0,
    connectionsShed: 0,
    apis: new Map(),
  }
}

export function apiCounters(counters: ServerCounters, api: string): ApiCounters {
  let found = counters.apis.get(api)
  if (!found) counters.apis.set(api, (found = { requests: 0, requestBytes: 0, failures: 0 }))
  return found
}

/** Compaction of logs; Kafka's metrics of LogCleaner and LogCleanerManager. */
export interface CleanerCounters {
  /** Logs compacted. */
  runs: number
  bytesRead: number
  bytesWritten: number
  recordsRead: number
  recordsKept: number
  /** How full the key map of the last run became. */
  maxBufferPercent: number
  /** Of the dirtiest log when it was last looked for. */
  maxDirtyPercent: number
  /** For how long records waited beyond max.compaction.lag.ms then. */
  maxCompactionDelayMs: number
  uncleanablePartitions: number
  /** When the dirtiest log was last looked for; 0: never. */
  lastRunAt: number
  /** The longest time that the event loop was held up. */
  longestSliceMs: number
}

export const cleanerCounters = (): CleanerCounters => ({
  runs: 0,
  bytesRead: 0,
  bytesWritten: 0,
  recordsRead: 0,
  recordsKept: 0,
  maxBufferPercent: 0,
  maxDirtyPercent: 0,
  maxCompactionDelayMs: 0,
  uncleanablePartitions: 0,
  lastRunAt: 0,
  longestSliceMs: 0,
})
