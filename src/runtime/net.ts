// Sockets of the machine. Reads go into one stage buffer that all sockets of a listener share, or straight into a buffer
// that the receiver names; what is written during one callback of the event loop leaves in one write.
import net from 'node:net'
import { Output, type Outgoing } from './output.ts'

/** What a socket tells its owner. No call comes after `closed`, which always comes, once. */
export interface Receiver {
  /** Where the next bytes are to be read to, or null for the stage buffer. Asked after each read; may be ignored. */
  target(): Buffer | null
  /** `length` bytes arrived at the start of `buffer`, which is the target or else valid during this call only. */
  received(buffer: Buffer, length: number): void
  /** Asked for by `flushSoon` and `write`: last call for what is to leave in the same write. */
  flushing(): void
  /** Bytes written have left for the operating system; `unsentBytes` has become smaller. */
  sent(): void
  /** The peer will send no more; it may still be reading. */
  ended(): void
  closed(error: Error | null): void
}

export type { Outgoing } from './output.ts'

export interface Socket {
  /** IPv4-mapped addresses are given as IPv4. */
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** Bytes written that have not left for the operating system. */
  readonly unsentBytes: number
  /** Bytes that have left since the beginning; grows with every piece that the peer makes room for. */
  readonly leftBytes: number
  /** Queues the chunks by reference. */
  write(outgoing: Outgoing): void
  /** Calls the receiver's `flushing` when the running callback and its promise reactions are through. */
  flushSoon(): void
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  destroy(): void
}

/** A socket that was accepted; nothing is read before it starts, and it may be closed instead. */
export interface AcceptedSocket extends Socket {
  /** The receiver owns it from here on. */
  start(receiver: Receiver): void
}

export interface ListenOptions {
  /** As net.Server takes it; undefined: every interface. */
  readonly host: string | undefined
  readonly port: number
  /** Connections that the system holds back until they are accepted; default: Node's, 511. */
  readonly backlog?: number
  readonly stage: Buffer
  /** False: plain 'data' events, as TLS sockets need them. */
  readonly onread?: boolean
  /** Takes the new socket, to start it or to close it, now or later. */
  accept(socket: AcceptedSocket): void
  /** Accepting failed, typically EMFILE: the operating system or libuv dropped the connection. */
  readonly acceptFailed: (error: Error) => void
}

export interface Listening {
  readonly address: string
  readonly port: number
  /**
   * Stops accepting at once; accepted sockets live on. Resolves when the listening socket is closed (with plain sockets:
   * when they are closed, too). Idempotent.
   */
  close(): Promise<void>
}

/** The few private parts of a net.Socket that reading into our own buffer needs; checked before use. */
interface Inside {
  _handle: { useUserBuffer?: unknown } | null
}

/** libuv reads a socket 32 times in one turn as long as the buffer gets full: with big frames, more than 30 MB. */
const REST_AFTER_BYTES = 4 << 20

/** Binds and listens; rejects with the error of net.Server (code EADDRINUSE, EADDRNOTAVAIL, ...). */
export function listen(options: ListenOptions): Promise<Listening> {
  // pauseOnConnect keeps the first bytes in the kernel until the socket has its buffer.
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true })
  server.on('connection', accepted => open(accepted, options))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const { port, host, backlog } = options
    server.listen({ port, ...(host !== undefined && { host }), ...(backlog !== undefined && { backlog }) }, () => {
      server.off('error', reject)
      server.on('error', options.acceptFailed)
      const bound = server.address() as net.AddressInfo
      let closed: Promise<void> | null = null
      resolve({
        address: bound.address,
        port: bound.port,
        close: () => (closed ??= new Promise(done => void server.close(() => done()))),
      })
    })
  })
}

function open(accepted: net.Socket, options: ListenOptions): void {
  // A peer that is gone already has no address.
  if (accepted.remoteAddress === undefined || accepted.localAddress === undefined) return void accepted.destroy()
  options.accept(new SystemSocket(accepted, options))
}

class SystemSocket implements AcceptedSocket {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #socket: net.Socket
  readonly #output: Output
  readonly #stage: Buffer
  #receiver: Receiver | null = null
  #isPaused = false
  #isClosed = false
  /** Bytes read since the last rest. */
  #readBytes = 0
  #rests = false
  #error: Error | null = null

  constructor(accepted: net.Socket, options: ListenOptions) {
    this.localAddress = unmapped(accepted.localAddress!)
    this.localPort = accepted.localPort!
    this.remoteAddress = unmapped(accepted.remoteAddress!)
    this.remotePort = accepted.remotePort!
    this.#stage = options.stage
    this.#socket = options.onread === false ? this.#plain(accepted) : this.#direct(accepted)
    this.#output = new Output(this.#socket, {
      flushing: () => this.#receiver?.flushing(),
      sent: () => this.#receiver?.sent(),
    })
    this.#socket.on('end', () => this.#receiver?.ended())
    this.#socket.on('error', error => void (this.#error ??= error))
    this.#socket.on('close', () => {
      this.#isClosed = true
      this.#output.closed()
      const receiver = this.#receiver
      this.#receiver = null
      receiver?.closed(this.#error)
    })
  }

  start(receiver: Receiver): void {
    // It may have been held for long.
    if (this.#isClosed) return queueMicrotask(() => receiver.closed(this.#error))
    this.#receiver = receiver
    this.#socket.resume()
  }

  get unsentBytes(): number {
    return this.#output.unsentBytes
  }

  get leftBytes(): number {
    return this.#output.leftBytes
  }

  write(outgoing: Outgoing): void {
    this.#output.write(outgoing)
  }

  flushSoon(): void {
    this.#output.flushSoon()
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#rests) this.#socket.resume()
  }

  end(): void {
    this.#output.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** False: others get their turn first; reading stops until the next one. */
  #readsOn(length: number): boolean {
    this.#readBytes += length
    if (this.#readBytes < REST_AFTER_BYTES || this.#rests) return true
    this.#rests = true
    this.#readBytes = 0
    setImmediate(() => {
      this.#rests = false
      if (this.#receiver !== null && !this.#isPaused) this.#socket.resume()
    })
    return false
  }

  /** net.Server cannot be told to read into our buffer, a new Socket around the accepted handle can. */
  #direct(accepted: net.Socket): net.Socket {
    const inside = accepted as unknown as Inside
    const handle = inside._handle
    if (typeof handle?.useUserBuffer !== 'function') return this.#plain(accepted)
    inside._handle = null
    accepted.destroy()
    const options = {
      handle,
      allowHalfOpen: true,
      // Nothing is read before `start` resumes.
      manualStart: true,
      onread: {
        buffer: () => this.#receiver?.target() ?? this.#stage,
        callback: (length: number, buffer: Buffer) => {
          this.#receiver?.received(buffer, length)
          return this.#readsOn(length)
        },
      },
    }
    return new net.Socket(options)
  }

  #plain(accepted: net.Socket): net.Socket {
    accepted.on('data', (chunk: Buffer) => this.#receiver?.received(chunk, chunk.length))
    return accepted
  }
}

function unmapped(address: string): string {
  return address.startsWith('::ffff:') && net.isIPv4(address.slice(7)) ? address.slice(7) : address
}
