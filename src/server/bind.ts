// From a host name and port to listening sockets, and from errno to a sentence a user can act on.
import type { Listening } from '../runtime/net.ts'

/** An address cannot be listened on; the message is one sentence that says what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  /** The operating system's code: EADDRINUSE, EACCES, ... */
  readonly code: string

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** Resolves to a socket that listens; rejects as net.Server does. */
export type Bind = (address: string | undefined, port: number) => Promise<Listening>

/** What binding ::1 fails with where IPv6 is missing or switched off. */
const NO_IPV6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'EPROTONOSUPPORT'])
/** Free ports of 127.0.0.1 to try until one is free on ::1, too. */
const ATTEMPTS = 20

export async function bindAll(bind: Bind, host: string, port: number): Promise<Listening[]> {
  if (host !== 'localhost') return [await bindOne(bind, host, port)]
  for (let attempt = 1; ; attempt++) {
    const v4 = await bindOne(bind, '127.0.0.1', port)
    try {
      return [v4, await bind('::1', v4.port)]
    } catch (error) {
      const code = codeOf(error)
      if (NO_IPV6.has(code)) return [v4]
      await v4.close()
      if (port !== 0 || code !== 'EADDRINUSE' || attempt === ATTEMPTS) throw listenError(error, '::1', v4.port)
    }
  }
}

async function bindOne(bind: Bind, host: string, port: number): Promise<Listening> {
  try {
    return await bind(host === '' ? undefined : host, port)
  } catch (error) {
    throw listenError(error, host, port)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function listenError(error: unknown, host: string, port: number): ListenError {
  const code = codeOf(error)
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new ListenError(code, sentence(code, host, port, at, error), error)
}

function sentence(code: string, host: string, port: number, at: string, error: unknown): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Cannot listen on ${at} because another program uses that port: stop it or choose another port.`
    case 'EACCES':
      return `Cannot listen on ${at} without special rights: choose a port above 1023.`
    case 'EADDRNOTAVAIL':
      return `Cannot listen on ${at} because ${host} is not an address of this machine: choose one that is.`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `Cannot listen on ${at} because the name ${host} does not resolve: check its spelling.`
    case 'ERR_SOCKET_BAD_PORT':
      return `Cannot listen on ${at} because ${port} is not a port: choose one from 0 to 65535.`
    default:
      return `Cannot listen on ${at}: ${error instanceof Error ? error.message : String(error)}.`
  }
}
