// The server: listening sockets, the connections that came in over them, their limits, and the orderly end.
import type { ServerCounters } from '../observe/counters.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import type { MemoryUse } from '../runtime/memory.ts'
import type { AcceptedSocket, Listening } from '../runtime/net.ts'
import type { ConnectionOwner } from './connection.ts'
import type { Call, ConnectionInfo, Handler, ServerLimits } from './types.ts'
import { serverCounters } from '../observe/counters.ts'
import { listen } from '../runtime/net.ts'
import { Admission } from './admission.ts'
import { bindAll } from './bind.ts'
import { Connection } from './connection.ts'
import { Dispatcher } from './dispatch.ts'
import { Load } from './load.ts'
import { LimitedLog } from './log-limit.ts'
import { pressureOn } from './shared-memory.ts'
import { ReceiveMemory } from './receive-memory.ts'
import { defaultLimits } from './types.ts'

export interface ServerOptions<Context> {
  readonly runtime: Runtime
  readonly handlers: readonly Handler<Context>[]
  /** Read when needed, so that its owner may change it; `defaultLimits` where nothing is given. */
  readonly limits?: ServerLimits
  readonly counters?: ServerCounters
  /** What handlers get beside the request; called once for each. */
  context(connection: ConnectionInfo, call: Call): Context
  /** False: plain 'data' events instead of reads into the shared buffer. */
  readonly onread?: boolean
  /** See ListenOptions. */
  readonly backlog?: number
}

export interface Bound {
  readonly address: string
  readonly port: number
}

export interface Server {
  readonly counters: ServerCounters
  /**
   * Binds and accepts. 'localhost' is 127.0.0.1 and, where there is IPv6, ::1 on the same port; '' every interface; port
   * 0 any free one. Rejects with ListenError, whose message is one sentence for the user.
   */
  listen(host: string, port: number, listenerName?: string): Promise<Bound[]>
  /** Open connections, for tests and metrics. */
  readonly connections: number
  /** Connections that are accepted and wait to be let in. */
  readonly waiting: number
  /** The limits on connections were changed: they count for those that wait, and for those that are in. */
  limitsChanged(): void
  /** Pooled read buffers in use; a test can prove that none leaks. */
  readonly buffersInUse: number
  /** What connections hold, as they are counted. */
  readonly memory: Readonly<Record<'receiving' | 'unanswered' | 'answers', MemoryUse>>
  /** No new connection is taken; those that exist go on. */
  stopAccepting(): void
  /** Every connection answers what it has taken, then closes; resolves when all are closed, at the latest in `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  /** Ends everything at once; resolves when no handle is open. Idempotent. */
  close(): Promise<void>
}

/** One read of this many bytes takes several small requests, or a good part of a big one. */
const STAGE_BYTES = 256 * 1024

export function createServer<Context>(options: ServerOptions<Context>): Server {
  const { runtime } = options
  const limits = options.limits ?? defaultLimits
  const counters = options.counters ?? serverCounters()
  const log = new LimitedLog(runtime.log, runtime.clock)
  const memory = new ReceiveMemory(runtime.timers, limits)
  const stage = Buffer.allocUnsafeSlow(STAGE_BYTES)
  const dispatcher = new Dispatcher<Context>({ ...options, limits, counters })
  const load = new Load(runtime.timers, limits)
  const connections = new Set<Connection<Context>>()
  const perAddress = new Map<string, number>()
  const listening: Listening[] = []
  let closing: Promise<void> | null = null
  let emptied: (() => void)[] = []
  let nextId = 1

  const gone = (connection: Connection<Context>) => {
    connections.delete(connection)
    counters.connectionsOpen--
    const left = perAddress.get(connection.remoteAddress)! - 1
    if (left > 0) perAddress.set(connection.remoteAddress, left)
    else perAddress.delete(connection.remoteAddress)
    displaced.delete(connection)
    admission.left(connection.listenerName)
    if (connections.size > 0) return
    for (const resolve of emptied) resolve()
    emptied = []
  }
  const owner: ConnectionOwner<Context> = { runtime, limits, memory, counters, dispatcher, load, gone }
  const pressure = pressureOn({ runtime, log, memory, load, counters, connections })
  const sweeper = sweep(owner, connections)

  /** Closed for the sake of max.connections, and not gone yet. */
  const displaced = new Set<Connection<Context>>()
  const admission = new Admission(runtime, limits, (excess, isProtected) => {
    const idlest = [...connections]
      .filter(connection => !displaced.has(connection) && !isProtected(connection.listenerName))
      .toSorted((a, b) => a.lastActive - b.lastActive)
    for (const connection of idlest.slice(0, Math.max(0, excess - displaced.size))) {
      displaced.add(connection)
      counters.connectionsDisplaced++
      connection.destroy()
    }
  })

  const enter = (socket: AcceptedSocket, listenerName: string): boolean => {
    const { remoteAddress } = socket
    const before = perAddress.get(remoteAddress) ?? 0
    if (before >= (limits.maxConnectionsPerIpOverrides.get(remoteAddress) ?? limits.maxConnectionsPerIp)) {
      refuse(socket, listenerName, 'max.connections.per.ip is reached')
      return false
    }
    const connection = new Connection(owner, socket, nextId++, listenerName)
    connections.add(connection)
    perAddress.set(remoteAddress, before + 1)
    counters.connectionsAccepted++
    counters.connectionsOpen++
    socket.start(connection)
    return true
  }

  const refuse = (socket: AcceptedSocket, listenerName: string, reason: string): void => {
    const { remoteAddress } = socket
    counters.connectionsRefused++
    log.line('warn', reason, { remoteAddress, listenerName }, `connection refused: ${reason}`)
    socket.destroy()
  }

  const accept = (socket: AcceptedSocket, listenerName: string): void =>
    admission.arrive(listenerName, {
      enter: () => enter(socket, listenerName),
      refuse: reason => refuse(socket, listenerName, reason),
    })

  const acceptFailed = (err: Error) => {
    counters.acceptErrors++
    log.line('error', 'accept', { err }, 'a connection could not be accepted')
  }

  const whenEmpty = () => new Promise<void>(resolve => (connections.size > 0 ? emptied.push(resolve) : resolve()))

  const server: Server = {
    counters,
    get connections() {
      return connections.size
    },
    get waiting() {
      return admission.waiting
    },
    limitsChanged: () => admission.changed(),
    get buffersInUse() {
      return memory.pool.outstanding
    },
    memory: { receiving: memory, unanswered: load.unanswered, answers: load.answers },
    async listen(host, port, listenerName = 'PLAINTEXT') {
      admission.addListener(listenerName)
      const bind = (address: string | undefined, at: number) =>
        listen({
          host: address,
          port: at,
          stage,
          ...(options.backlog !== undefined && { backlog: options.backlog }),
          ...(options.onread !== undefined && { onread: options.onread }),
          accept: socket => accept(socket, listenerName),
          acceptFailed,
        })
      const bound = await bindAll(bind, host, port)
      listening.push(...bound)
      if (closing) await Promise.all(bound.map(one => one.close()))
      return bound.map(one => ({ address: one.address, port: one.port }))
    },
    stopAccepting() {
      admission.close()
      for (const one of listening) void one.close()
    },
    async drain(timeoutMs) {
      server.stopAccepting()
      let timer: Timer | undefined
      const timedOut = new Promise<void>(resolve => (timer = runtime.timers.after(timeoutMs, resolve)))
      for (const connection of connections) connection.end(timeoutMs)
      await Promise.race([whenEmpty(), timedOut])
      timer?.cancel()
    },
    close() {
      closing ??= (async () => {
        sweeper.cancel()
        admission.close()
        pressure.stop()
        for (const connection of connections) connection.destroy()
        await Promise.all([...listening.map(one => one.close()), whenEmpty()])
      })()
      return closing
    },
  }
  return server
}

/** Closes connections on which nothing happened for too long (G16), at most an eighth of that time late. */
function sweep<Context>(owner: ConnectionOwner<Context>, connections: Set<Connection<Context>>): Timer {
  const { runtime, limits, counters } = owner
  let timer: Timer
  const arm = () => {
    const periodMs = limits.maxIdleMs >= 0 ? Math.min(30_000, Math.max(100, limits.maxIdleMs / 8)) : 30_000
    timer = runtime.timers.after(periodMs, () => {
      const oldest = runtime.clock.monotonic() - limits.maxIdleMs
      if (limits.maxIdleMs >= 0) {
        for (const connection of connections) {
          if (connection.expire(oldest)) counters.connectionsExpired++
        }
      }
      arm()
    })
  }
  arm()
  return { cancel: () => timer.cancel() }
}
