// One client connection: bytes in, frames to handlers in order, answers out in the same order. Reading stops while too
// much is in flight or unsent, and behind a request that holds back the next.
import type { Encoded } from '../../protocol/index.ts'
import type { ServerCounters } from '../observe/counters.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import type { Receiver, Socket } from '../runtime/net.ts'
import type { Dispatcher, Exchange, Peer } from './dispatch.ts'
import type { FrameReceiver, Refusal } from './frames.ts'
import type { Load } from './load.ts'
import type { ReceiveMemory } from './receive-memory.ts'
import type { ServerLimits } from './types.ts'
import { Writer, encodeResponse, writeResponse } from '../../protocol/index.ts'
import { FrameSplitter } from './frames.ts'
import { Share } from './share.ts'

export interface ConnectionOwner<Context> {
  readonly runtime: Runtime
  readonly limits: ServerLimits
  readonly memory: ReceiveMemory
  readonly counters: ServerCounters
  readonly dispatcher: Dispatcher<Context>
  readonly load: Load
  /** The socket is closed and nothing of the connection is left. */
  gone(connection: Connection<Context>): void
}

/** A request that cannot be answered yet, in the order of arrival. */
interface Waiting<Context> {
  readonly exchange: Exchange<Context>
  readonly isBarrier: boolean
  isSettled: boolean
  /** The settled answer of a request behind one that is not; null: none is to be sent; undefined: here it ends. */
  answer: Encoded | null | undefined
  next: Waiting<Context> | null
}

/** Answers are gathered in one buffer up to about this size. */
const GATHER_BYTES = 64 * 1024

export class Connection<Context> implements Peer, Receiver, FrameReceiver {
  readonly id: number
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly listenerName: string
  softwareName = 'unknown'
  softwareVersion = 'unknown'
  now = 0
  receivedBytes = 0
  readonly share: Share
  readonly holdNext = (): void => {
    this.#hold = true
  }
  readonly closeConnection = (): void => this.end(this.#owner.limits.closeGraceMs)
  /** Monotonic ms of the last byte received or sent. */
  lastActive: number
  readonly #owner: ConnectionOwner<Context>
  readonly #socket: Socket
  readonly #splitter: FrameSplitter
  /** Open: requests are taken. Ending: what was taken is answered. Closed: nothing is sent any more. */
  #state: 'open' | 'ending' | 'closed' = 'open'
  #head: Waiting<Context> | null = null
  #tail: Waiting<Context> | null = null
  #barrier = false
  /** Set by the handler that is running. */
  #hold = false
  #reading = true
  /** There is room again over all connections. */
  readonly #relieved = (): void => this.#guard(() => undefined)
  #writer: Writer | null = null
  #listeners: Set<() => void> | null = null
  #grace: Timer | null = null

  constructor(owner: ConnectionOwner<Context>, socket: Socket, id: number, listenerName: string) {
    this.#owner = owner
    this.#socket = socket
    this.share = new Share(owner.load, owner.limits, socket)
    this.id = id
    this.listenerName = listenerName
    this.localAddress = socket.localAddress
    this.localPort = socket.localPort
    this.remoteAddress = socket.remoteAddress
    this.remotePort = socket.remotePort
    this.lastActive = owner.runtime.clock.monotonic()
    const { maxFrameBytes, maxRequestBytes } = owner.limits
    const maxBytesOf = (apiKey: number) => owner.dispatcher.maxBytesOf(apiKey)
    const plainFrameBytes = Math.min(maxFrameBytes, maxRequestBytes)
    const limits = { maxFrameBytes, plainFrameBytes, maxBytesOf }
    this.#splitter = new FrameSplitter(owner.memory, limits, this)
  }

  get answerRoom(): number {
    return this.share.answerRoom(this.#writer?.byteLength ?? 0)
  }

  /** Memory of requests that have not come whole. */
  get receivingBytes(): number {
    return this.#splitter.takenBytes
  }

  /** Waits for memory to read on. */
  get isShort(): boolean {
    return this.#splitter.isShort
  }

  get isReading(): boolean {
    return this.#reading
  }

  onClose(fn: () => void): () => void {
    if (this.#state === 'closed') {
      // Not at once: the caller may not be ready to be called back.
      this.#owner.runtime.timers.defer(fn)
      return () => undefined
    }
    const listeners = (this.#listeners ??= new Set())
    // An entry of its own for every call, even of the same function.
    const entry = () => fn()
    listeners.add(entry)
    return () => void listeners.delete(entry)
  }

  /** Takes no more requests; closes when what was taken is answered and sent, or after `graceMs`. */
  end(graceMs: number): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#pause()
    this.#splitter.close()
    this.#grace ??= this.#owner.runtime.timers.after(graceMs, () => this.destroy())
    if (!this.#head) this.#socket.end()
  }

  /** Closes at once; answers that have not left are dropped. */
  destroy(): void {
    // First the socket: it may be reading into a buffer that is given back next.
    this.#socket.destroy()
    this.#close()
  }

  /** Closes it if nothing happened since `oldest` (monotonic ms); says whether it did. */
  expire(oldest: number): boolean {
    if (this.#state === 'closed' || this.lastActive > oldest) return false
    this.destroy()
    return true
  }

  // Receiver: the socket's side.

  target(): Buffer | null {
    return this.#splitter.target()
  }

  received(buffer: Buffer, length: number): void {
    const { clock } = this.#owner.runtime
    this.lastActive = clock.monotonic()
    this.#owner.counters.bytesReceived += length
    this.receivedBytes += length
    if (this.#state !== 'open') return
    this.now = clock.now()
    if (this.#owner.load.isFull) this.#splitter.pause()
    this.#guard(() => this.#splitter.push(buffer, length))
  }

  flushing(): void {
    const writer = this.#writer
    if (!writer) return
    this.#writer = null
    this.#send(writer.finish())
  }

  sent(): void {
    this.lastActive = this.#owner.runtime.clock.monotonic()
    this.share.countAnswers()
    this.#resume()
  }

  /** A peer that sends no more gets what is settled; long polls end, and who waits for more waits in vain, as in Kafka. */
  ended(): void {
    this.#finish()
  }

  closed(error: Error | null): void {
    if (error) this.#owner.runtime.log.debug({ connection: this.id, err: error }, 'connection lost')
    this.#close()
    this.share.countAnswers()
    this.#grace?.cancel()
    this.#owner.gone(this)
  }

  // FrameReceiver: the splitter's side.

  refused(refusal: Refusal): void {
    this.#owner.dispatcher.refused(this, refusal)
    this.closeConnection()
  }

  frame(buffer: Buffer, start: number, end: number): boolean {
    const exchange = this.#owner.dispatcher.start(this, buffer, start, end)
    if (!exchange) {
      this.closeConnection()
      return false
    }
    const { handler, request, context } = exchange
    let reply: unknown
    this.#hold = false
    try {
      if (handler.barrier?.(request)) this.#hold = true
      reply = this.#given(exchange, handler.handle(request, context))
    } catch (error) {
      reply = this.#owner.dispatcher.failed(this, exchange, error)
    }
    if (reply instanceof Promise) this.#wait(exchange, this.#hold, reply)
    else if (this.#head) this.#settle(this.#enqueue(exchange, false), reply)
    else this.#answer(exchange, reply)
    return this.#state === 'open' && !this.#barrier && !this.#overloaded(1) && !this.#owner.load.isFull
  }

  // Requests and answers.

  #wait(exchange: Exchange<Context>, isBarrier: boolean, reply: Promise<unknown>): void {
    const waiting = this.#enqueue(exchange, isBarrier)
    if (isBarrier) this.#barrier = true
    reply.then(
      value => this.#guard(() => this.#settle(waiting, this.#given(exchange, value))),
      error => this.#guard(() => this.#settle(waiting, this.#owner.dispatcher.failed(this, exchange, error))),
    )
  }

  /** A handler that returns nothing has a bug. */
  #given(exchange: Exchange<Context>, reply: unknown): unknown {
    return reply === undefined ? this.#owner.dispatcher.failed(this, exchange, new Error('no reply returned')) : reply
  }

  #enqueue(exchange: Exchange<Context>, isBarrier: boolean): Waiting<Context> {
    const waiting = { exchange, isBarrier, isSettled: false, answer: null, next: null }
    if (this.#tail) this.#tail.next = waiting
    else this.#head = waiting
    this.#tail = waiting
    this.share.add(exchange.byteLength)
    return waiting
  }

  #settle(waiting: Waiting<Context>, reply: unknown): void {
    waiting.isSettled = true
    if (waiting.isBarrier) this.#barrier = false
    if (this.#state === 'closed') return this.#discard(waiting.exchange, reply)
    if (waiting === this.#head) {
      this.#answer(waiting.exchange, reply)
      this.#advance()
    } else if (reply === undefined) {
      waiting.answer = undefined
      this.closeConnection()
    } else if (reply !== null) {
      waiting.answer = this.#encode(waiting.exchange, reply)
      this.share.block(waiting.answer?.byteLength ?? 0)
    }
  }

  /** Lets answers go that waited for the one that has just been given. */
  #advance(): void {
    while (this.#head?.isSettled) {
      const { answer, exchange, next } = this.#head
      if (answer === undefined) return this.#finish()
      if (answer) {
        this.flushing()
        this.share.block(-answer.byteLength)
        this.#head.answer = null
        this.#send(answer)
      }
      this.#head = next
      this.share.remove(exchange.byteLength)
    }
    if (this.#head) return
    this.#tail = null
    if (this.#state === 'ending') this.#socket.end()
  }

  /** The next answer in order: a reply, null for none, undefined to close the connection. */
  #answer(exchange: Exchange<Context>, reply: unknown): void {
    if (this.#state === 'closed') return this.#discard(exchange, reply)
    if (reply === null) return
    if (reply === undefined) return this.#finish()
    if (!this.#writer) {
      this.#writer = new Writer()
      this.#socket.flushSoon()
    }
    const { handler, version, correlationId } = exchange
    try {
      writeResponse(this.#writer, handler.api, version, correlationId, reply as never)
    } catch (error) {
      return this.#unsendable(exchange, error)
    }
    if (this.#writer.byteLength > GATHER_BYTES) this.flushing()
  }

  #send(answer: Encoded): void {
    this.#owner.counters.bytesSent += answer.byteLength
    if (answer.byteLength === 0) return answer.release()
    this.#socket.write(answer)
    this.share.countAnswers()
  }

  /** Nobody gets this reply, but what it refers to must be given back: that is the encoder's knowledge. */
  #discard(exchange: Exchange<Context>, reply: unknown): void {
    if (reply !== null && reply !== undefined) this.#encode(exchange, reply)?.release()
  }

  #encode(exchange: Exchange<Context>, reply: unknown): Encoded | null {
    const { handler, version, correlationId } = exchange
    try {
      return encodeResponse(handler.api, version, correlationId, reply as never)
    } catch (error) {
      this.#unsendable(exchange, error)
      return null
    }
  }

  #unsendable({ handler, version, clientId }: Exchange<Context>, error: unknown): void {
    const fields = { api: handler.api.name, version, clientId }
    this.#owner.dispatcher.bug(this, fields, error, 'a reply does not fit its schema: connection closed')
    this.destroy()
  }

  // Back-pressure.

  #overloaded(part: number): boolean {
    return this.share.exceeds(part, this.#writer?.byteLength ?? 0)
  }

  #pause(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#socket.pause()
  }

  /** Goes on with what was held back, then with reading, once nothing speaks against it. */
  #resume(): void {
    if (this.#reading || this.#state !== 'open' || this.#barrier) return
    if (this.#owner.load.isFull) return this.#owner.load.whenRelieved(this.#relieved)
    if (this.#overloaded(0.5)) return
    this.now = this.#owner.runtime.clock.now()
    this.#splitter.resume()
    if (this.#state === 'open' && this.#splitter.isShort) this.#owner.memory.whenRoom(this.#relieved)
    if (this.#state !== 'open' || this.#splitter.paused) return
    this.#reading = true
    this.#socket.resume()
  }

  /** Runs a step of ours; an exception is our bug and costs this connection, not the process. */
  #guard(step: () => void): void {
    try {
      step()
      if (this.#splitter.paused && this.#reading) {
        this.#owner.counters.readingPaused++
        this.#pause()
      }
      this.#resume()
    } catch (error) {
      this.#owner.dispatcher.bug(this, {}, error, 'the connection failed and is closed')
      this.destroy()
    }
  }

  /** Sends the answers given so far, in order, and closes; what comes behind them is dropped. */
  #finish(): void {
    this.#grace ??= this.#owner.runtime.timers.after(this.#owner.limits.closeGraceMs, () => this.destroy())
    // The socket may be reading into a buffer that is given back next.
    this.#pause()
    this.#socket.end()
    this.#close()
  }

  #close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#splitter.close()
    this.#writer?.finish().release()
    this.#writer = null
    for (let waiting = this.#head; waiting; waiting = waiting.next) {
      waiting.answer?.release()
      waiting.answer = null
    }
    this.#owner.load.forget(this.#relieved)
    this.#owner.memory.forget(this.#relieved)
    this.share.close()
    this.#head = this.#tail = null
    const listeners = this.#listeners ?? []
    this.#listeners = null
    for (const listener of listeners) this.#callListener(listener)
  }

  #callListener(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#owner.dispatcher.bug(this, {}, error, 'a listener for the end of a connection failed')
    }
  }
}
