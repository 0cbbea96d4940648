// Much text to standard output: in chunks, and no faster than it is taken.

/** What commands that print much need of the machine. */
export interface Io {
  out(text: string): void
  err(text: string): void
  /** Resolves when what was written so far has left. */
  drained(): Promise<void>
  exit(code: number): void
}

const CHUNK_CHARACTERS = 64 * 1024

export class Output {
  readonly #io: Io
  #lines: string[] = []
  #characters = 0

  constructor(io: Io) {
    this.#io = io
  }

  /** Whether it is time to wait for end(). */
  get full(): boolean {
    return this.#characters > CHUNK_CHARACTERS
  }

  line(text: string): void {
    this.#lines.push(text)
    this.#characters += text.length
  }

  err(text: string): void {
    this.#io.err(`${text}\n`)
  }

  /** Resolves when everything has left. */
  async end(): Promise<void> {
    if (this.#lines.length > 0) this.#io.out(`${this.#lines.join('\n')}\n`)
    this.#lines = []
    this.#characters = 0
    await this.#io.drained()
  }
}
