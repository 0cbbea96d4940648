// The codec on its own: `import { Produce, encode, decode } from 'odradek/protocol'`.
export type { Api, AskOf, InputOf, Message, ReplyOf, RequestOf, ResponseOf, ValueOf } from './api.ts'
export { requestHeaderVersion, responseHeaderVersion } from './api.ts'
export { decode, encode, type DecodeOptions, type EncodeOptions } from './compile.ts'
export * as errors from './errors.ts'
export { errorOf, KafkaError, type ErrorEntry } from './errors.ts'
export {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  writeResponse,
  type RequestHead,
} from './frame.ts'
export * from './messages/index.ts'
export { RequestHeader, ResponseHeader } from './messages/headers.ts'
export { DecodeError, Reader } from './reader.ts'
export { ZERO_UUID, type Records } from './schema.ts'
export { EncodeError, Writer, type Encoded } from './writer.ts'
