// Frames: int32 size, header, body. Splitting a stream into frames is the server's and the client's own affair; here
// one whole frame is read or written. Which header version goes with which API version is in api.ts.
import {
  requestHeaderVersion,
  responseHeaderVersion,
  type Api,
  type AskOf,
  type ReplyOf,
  type RequestOf,
  type ResponseOf,
} from './api.ts'
import { decode, encode } from './compile.ts'
import { apiByKey } from './messages/index.ts'
import { RequestHeader, ResponseHeader } from './messages/headers.ts'
import { Reader } from './reader.ts'
import { Writer, type Encoded } from './writer.ts'

export interface RequestHead {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** '' where the client sent null (RequestHeader.java does the same). */
  readonly clientId: string
}

/**
 * Reads a request's header off a reader that stands behind the size prefix, and leaves the reader at the body. Of an
 * API or version that is not known only the part common to all headers is read: whether tagged fields follow cannot
 * be told. Throws DecodeError.
 */
export function decodeRequestHeader(reader: Reader, apiOf: (key: number) => Api | undefined = apiByKey): RequestHead {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.nullableString() ?? ''
  const api = apiOf(apiKey)
  if (api && apiVersion >= api.flexible && apiVersion <= api.versions[1]) reader.skipTags()
  return { apiKey, apiVersion, correlationId, clientId }
}

/**
 * Appends a whole response frame to a writer, so that the answers of one read may share one buffer. On an error
 * nothing of it stays in the writer, and the error is thrown.
 */
export function writeResponse<A extends Api>(
  writer: Writer,
  api: A,
  version: number,
  correlationId: number,
  value: ReplyOf<A>,
): void {
  const mark = writer.beginFrame()
  try {
    encode(ResponseHeader, responseHeaderVersion(api, version), { correlationId }, writer)
    encode(api.response, version, value as never, writer)
  } catch (error) {
    writer.rewind(mark)
    throw error
  }
  writer.endFrame(mark)
}

/** One response frame, size prefix included. Throws EncodeError where the value does not fit. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  value: ReplyOf<A>,
): Encoded {
  const writer = new Writer()
  writeResponse(writer, api, version, correlationId, value)
  return writer.finish()
}

/** One request frame, size prefix included. Strict: a set value that the version cannot carry is an EncodeError. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  value: AskOf<A>,
): Encoded {
  const writer = new Writer()
  const mark = writer.beginFrame()
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId }
  encode(RequestHeader, requestHeaderVersion(api, version), header, writer)
  encode(api.request, version, value as never, writer, { strict: true })
  writer.endFrame(mark)
  return writer.finish()
}

/** A response frame without its size prefix. Throws DecodeError, also where bytes are left over. */
export function decodeResponse<A extends Api>(
  api: A,
  version: number,
  frame: Uint8Array,
): { correlationId: number; value: ResponseOf<A> } {
  const reader = new Reader(frame)
  const { correlationId } = decode(ResponseHeader, responseHeaderVersion(api, version), reader)
  const value = decode(api.response, version, reader) as unknown as ResponseOf<A>
  reader.expectEnd()
  return { correlationId, value }
}

/** A request frame without its size prefix, for tests and tools. Throws DecodeError. */
export function decodeRequest<A extends Api>(api: A, frame: Uint8Array): { head: RequestHead; value: RequestOf<A> } {
  const reader = new Reader(frame)
  const head = decodeRequestHeader(reader, key => (key === api.key ? api : undefined))
  const value = decode(api.request, head.apiVersion, reader) as unknown as RequestOf<A>
  reader.expectEnd()
  return { head, value }
}
