// `odradek protocol decode`: hex to JSON, in Kafka's own JSON form. int64 that JSON numbers cannot hold are strings.
import { ConfigError } from '../../config/index.ts'
import { nearest } from '../../config/nearest.ts'
import {
  apiByKey,
  decode,
  DecodeError,
  Reader,
  RequestHeader,
  requestHeaderVersion,
  ResponseHeader,
  responseHeaderVersion,
} from '../../../protocol/index.ts'
import type { Api, Message } from '../../../protocol/api.ts'
import type { Shape } from '../../../protocol/schema.ts'
import { toJson, type Json } from '../../../protocol/json.ts'
import { allMessages, messageByName } from '../../../protocol/registry.ts'

export interface DecodeFlags {
  readonly api: Api | undefined
  readonly message: string | undefined
  readonly version: number | undefined
  readonly type: 'request' | 'response' | undefined
  readonly frame: boolean
}

/** @throws ConfigError with one sentence */
export async function decodeToJson(
  flags: DecodeFlags,
  args: readonly string[],
  io: { readInput(): Promise<string> },
): Promise<string> {
  const decoder = decoderOf(flags)
  // A shell splits hex with spaces into several arguments.
  if (args.length === 0) throw new ConfigError('Give the bytes as hex, or - to read the hex from standard input.')
  const bytes = bytesOf(args.length === 1 && args[0] === '-' ? await io.readInput() : args.join(''))
  const reader = new Reader(bytes)
  try {
    const json = decoder(reader)
    reader.expectEnd()
    return JSON.stringify(json, null, 2)
  } catch (error) {
    if (error instanceof DecodeError) throw new ConfigError(`These bytes cannot be decoded: ${error.message}.`)
    throw error
  }
}

function bytesOf(text: string): Buffer {
  const hex = text.replaceAll(/\s+/g, '').replace(/^0x/i, '')
  const strange = /[^0-9a-f]/i.exec(hex)?.[0]
  if (strange !== undefined) throw new ConfigError(`'${strange}' is no hex digit.`)
  if (hex.length % 2 === 1) throw new ConfigError(`Two hex digits make a byte, but there are ${hex.length}.`)
  return Buffer.from(hex, 'hex')
}

type Decoder = (reader: Reader) => Json

function decoderOf({ api, message, version, type, frame }: DecodeFlags): Decoder {
  if (message !== undefined) {
    if (api !== undefined || type !== undefined || frame) {
      throw new ConfigError('Give either --message, or --api with --version and --type.')
    }
    return recordDecoder(messageNamed(message), version)
  }
  if (frame && type !== 'response' && version === undefined) return requestFrame
  if (api === undefined || version === undefined || type === undefined) {
    throw new ConfigError('Give --api, --version and --type, or --message with the name of a record.')
  }
  const of = checked(type === 'request' ? api.request : api.response, version)
  if (!frame) return reader => one(of, version, reader)
  if (type === 'request') return requestFrame
  return framed(reader => ({
    header: one(ResponseHeader, responseHeaderVersion(api, version), reader),
    response: one(of, version, reader),
  }))
}

/** A record kept in a topic: with its version in front, or as the bare message of a version given. */
function recordDecoder(of: Message<Shape>, version: number | undefined): Decoder {
  if (version !== undefined) {
    checked(of, version)
    return reader => one(of, version, reader)
  }
  return reader => {
    const prefix = reader.int16()
    return { version: prefix, data: one(of, prefix, reader) }
  }
}

const requestFrame: Decoder = framed(reader => {
  const start = reader.offset
  const key = reader.int16()
  const version = reader.int16()
  const api = apiByKey(key)
  if (!api) throw new ConfigError(`The frame's header names API key ${key}, which is not known.`)
  checked(api.request, version)
  reader.offset = start
  const header = one(RequestHeader, requestHeaderVersion(api, version), reader)
  return { api: api.name, header, request: one(api.request, version, reader) }
})

function framed(decoder: Decoder): Decoder {
  return reader => {
    const size = reader.int32()
    if (size !== reader.remaining) reader.fail(`the frame says ${size} bytes, but ${reader.remaining} follow,`)
    return decoder(reader)
  }
}

function one(of: Message<Shape>, version: number, reader: Reader): Json {
  return toJson(of, version, decode(of, version, reader, { exact: true }))
}

function messageNamed(name: string): Message<Shape> {
  const found = messageByName(name) ?? allMessages.find(({ name: known }) => known.toLowerCase() === name.toLowerCase())
  if (found) return found
  const similar = nearest(
    name,
    allMessages.map(({ name: known }) => known),
  )
  throw new ConfigError(`There is no message '${name}'.${similar === undefined ? '' : ` Did you mean ${similar}?`}`)
}

function checked(of: Message<Shape>, version: number): Message<Shape> {
  const [first, last] = of.versions
  if (version >= first && version <= last) return of
  throw new ConfigError(`${of.name} has the versions ${first} to ${last}, but not '${version}'.`)
}
