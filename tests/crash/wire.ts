// A client on one connection that pipelines requests and knows which of them were answered. Losing the connection is no
// error here: what was asked is then unanswered.
import { connect, type Socket } from 'node:net'
import type { Api, AskOf, ResponseOf } from '../../protocol/index.ts'
import { decodeResponse, encodeRequest } from '../../protocol/index.ts'

interface Asked {
  readonly api: Api
  readonly version: number
  readonly answer: (value: never) => void
}

export class Wire {
  /** Resolves when the connection is closed and everything that arrived was taken. */
  readonly closed: Promise<void>
  isClosed = false
  readonly #socket: Socket
  readonly #onAnswer: () => void
  readonly #asked = new Map<number, Asked>()
  #unanswered = 0
  #nextId = 1
  #received: Buffer[] = []
  #receivedBytes = 0
  #progress: (() => void)[] = []

  private constructor(socket: Socket, onAnswer: () => void) {
    this.#socket = socket
    this.#onAnswer = onAnswer
    socket.on('data', chunk => this.#take(chunk))
    // How a connection ends does not matter.
    socket.on('error', () => socket.destroy())
    this.closed = new Promise(resolve =>
      socket.on('close', () => {
        this.#lost()
        resolve()
      }),
    )
  }

  /** Null: nobody listens there any more. */
  static connect(port: number, onAnswer: () => void = () => undefined): Promise<Wire | null> {
    return new Promise(resolve => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('connect', () => resolve(new Wire(socket, onAnswer)))
      socket.once('error', () => resolve(null))
    })
  }

  /** Requests that were sent and have no answer; stays as it was when the connection is lost. */
  get unanswered(): number {
    return this.isClosed ? this.#unanswered : this.#asked.size
  }

  /** The answer, or null if the connection ended before it came. */
  send<A extends Api>(api: A, version: number, value: AskOf<A>): Promise<ResponseOf<A> | null> {
    if (this.isClosed) return Promise.resolve(null)
    const id = this.#nextId++
    const { chunks, release } = encodeRequest(api, version, id, 'crash', value)
    const bytes = Buffer.concat(chunks)
    release()
    return new Promise(resolve => {
      this.#asked.set(id, { api, version, answer: resolve })
      this.#socket.write(bytes)
    })
  }

  /** Resolves at the next answer, or when the connection is lost. */
  progress(): Promise<void> {
    return this.isClosed ? Promise.resolve() : new Promise(resolve => this.#progress.push(resolve))
  }

  close(): Promise<void> {
    this.#socket.destroy()
    return this.closed
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#receivedBytes += chunk.length
    for (;;) {
      if (this.#receivedBytes < 4) return
      if (this.#received[0]!.length < 4) this.#received = [Buffer.concat(this.#received)]
      const end = 4 + this.#received[0]!.readInt32BE()
      if (this.#receivedBytes < end) return
      const all = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received)
      const rest = all.subarray(end)
      this.#received = rest.length > 0 ? [rest] : []
      this.#receivedBytes = rest.length
      this.#answered(all.subarray(4, end))
    }
  }

  #answered(frame: Buffer): void {
    const asked = this.#asked.get(frame.readInt32BE())
    if (!asked) throw new Error(`The broker answered request ${frame.readInt32BE()}, which was not asked`)
    const { correlationId, value } = decodeResponse(asked.api, asked.version, frame)
    this.#asked.delete(correlationId)
    asked.answer(value as never)
    this.#onAnswer()
    this.#wake()
  }

  #lost(): void {
    this.#unanswered = this.#asked.size
    this.isClosed = true
    for (const { answer } of this.#asked.values()) answer(null as never)
    this.#asked.clear()
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#progress.splice(0)) resolve()
  }
}
