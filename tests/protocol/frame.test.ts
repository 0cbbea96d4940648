// Frames: size prefix, headers of each version, records by reference.
import { expect, test } from 'vitest'
import { requestHeaderVersion, responseHeaderVersion } from '../../protocol/api.ts'
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  writeResponse,
} from '../../protocol/frame.ts'
import { apiByKey, apis, ApiVersions, Fetch, Heartbeat, Metadata, Produce } from '../../protocol/messages/index.ts'
import { DecodeError, Reader } from '../../protocol/reader.ts'
import type { Records } from '../../protocol/schema.ts'
import { EncodeError, Writer } from '../../protocol/writer.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

test('the list of APIs: ascending keys, a version range, request and response of the same', () => {
  expect(apis).toHaveLength(79)
  expect(apis.map(({ key }) => key)).toEqual(apis.map(({ key }) => key).toSorted((a, b) => a - b))
  expect(new Set(apis.map(({ name }) => name)).size).toBe(79)
  for (const { key, versions, latestStable, name } of apis) {
    expect(apiByKey(key)!.name).toBe(name)
    expect(versions[0]).toBeLessThanOrEqual(versions[1])
    expect(latestStable).toBe(name === 'InitProducerId' ? 5 : versions[1])
  }
})

test('header versions', () => {
  expect(requestHeaderVersion(Produce, 8)).toBe(1)
  expect(requestHeaderVersion(Produce, 9)).toBe(2)
  expect(responseHeaderVersion(Produce, 8)).toBe(0)
  expect(responseHeaderVersion(Produce, 9)).toBe(1)
  expect(requestHeaderVersion(ApiVersions, 3)).toBe(2)
  expect(responseHeaderVersion(ApiVersions, 3)).toBe(0)
})

test('a request header: client id before tagged fields, null is empty, unknown APIs stop after it', () => {
  const head = (text: string) => {
    const reader = new Reader(hex(text))
    return { ...decodeRequestHeader(reader), left: reader.remaining }
  }
  expect(head('000c 0003 00000007 0002 6d65 aa')).toEqual({
    apiKey: 12,
    apiVersion: 3,
    correlationId: 7,
    clientId: 'me',
    left: 1,
  })
  expect(head('000c 0004 00000007 ffff 01 05 01 aa bb')).toMatchObject({ clientId: '', left: 1 })
  expect(head('7fff 0004 00000007 0000 00')).toMatchObject({ apiKey: 32767, left: 1 })
  expect(head('000c 0063 00000007 0000 00')).toMatchObject({ apiVersion: 99, left: 1 })
  expect(() => head('000c 0004 00000007 0000')).toThrow(DecodeError)
  expect(() => head('000c 0004 0000')).toThrow(DecodeError)
})

test('requests and responses of flexible and other versions', () => {
  for (const version of [0, 3, 4]) {
    const request = { groupId: 'g', generationId: 4, memberId: 'm' }
    const bytes = Buffer.concat(encodeRequest(Heartbeat, version, 9, 'me', request).chunks)
    expect(bytes.readInt32BE(0)).toBe(bytes.length - 4)
    const { head, value } = decodeRequest(Heartbeat, bytes.subarray(4))
    expect(head).toEqual({ apiKey: 12, apiVersion: version, correlationId: 9, clientId: 'me' })
    expect(value).toEqual({ ...request, groupInstanceId: null })
    const answer = Buffer.concat(encodeResponse(Heartbeat, version, 9, { errorCode: 25 }).chunks)
    expect(answer.readInt32BE(0)).toBe(answer.length - 4)
    expect(decodeResponse(Heartbeat, version, answer.subarray(4))).toEqual({
      correlationId: 9,
      value: { throttleTimeMs: 0, errorCode: 25 },
    })
    expect(() => decodeResponse(Heartbeat, version, Buffer.concat([answer.subarray(4), hex('00')]))).toThrow(
      /left over/,
    )
  }
})

test('requests are strict, responses are not', () => {
  expect(() => encodeRequest(Metadata, 3, 1, null, { topics: null, allowAutoTopicCreation: false })).toThrow(
    EncodeError,
  )
  const response = { brokers: [], topics: [], clusterId: 'only from version 2' }
  expect(() => encodeResponse(Metadata, 0, 1, response)).not.toThrow()
})

const fetched = (records: Records) => ({
  responses: [
    {
      topic: 't',
      partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 5, abortedTransactions: null, records }],
    },
  ],
})

test('large records leave by reference and are released once; small ones are copied and released at once', () => {
  for (const version of [4, 12]) {
    let released = 0
    const parts = [Buffer.alloc(5000, 1), Buffer.alloc(3000, 2)]
    const large: Records = { byteLength: 8000, parts, release: () => released++ }
    const { chunks, byteLength, release } = encodeResponse(Fetch, version, 1, fetched(large))
    expect(chunks).toContain(parts[0])
    expect(chunks).toContain(parts[1])
    const whole = Buffer.concat(chunks)
    expect(whole.length).toBe(byteLength)
    expect(whole.readInt32BE(0)).toBe(byteLength - 4)
    const { value } = decodeResponse(Fetch, version, whole.subarray(4))
    expect(Buffer.concat(value.responses[0]!.partitions[0]!.records!.parts)).toEqual(Buffer.concat(parts))
    expect(released).toBe(0)
    release()
    release()
    expect(released).toBe(1)
    const small: Records = { byteLength: 10, parts: [Buffer.alloc(10, 3)], release: () => released++ }
    expect(encodeResponse(Fetch, version, 1, fetched(small)).chunks).toHaveLength(1)
    expect(released).toBe(2)
  }
})

test('several responses share one writer; one that fails leaves no trace', () => {
  const writer = new Writer()
  let released = 0
  const records: Records = { byteLength: 2000, parts: [Buffer.alloc(2000)], release: () => released++ }
  writeResponse(writer, Heartbeat, 0, 1, { errorCode: 0 })
  const broken = fetched(records)
  broken.responses.push({
    topic: 'bad',
    partitions: [{ partitionIndex: 0.5, errorCode: 0, highWatermark: 0, abortedTransactions: null, records }],
  })
  expect(() => writeResponse(writer, Fetch, 4, 2, broken)).toThrow(EncodeError)
  expect(released).toBe(1)
  writeResponse(writer, Heartbeat, 0, 3, { errorCode: 16 })
  const bytes = writer.toBuffer()
  expect(bytes.toString('hex')).toBe('00000006' + '00000001' + '0000' + '00000006' + '00000003' + '0010')
})

test('a response larger than any pooled buffer', () => {
  const topics = Array.from({ length: 60_000 }, (_, i) => ({
    errorCode: 0,
    name: `topic-with-a-name-${i}`,
    partitions: [],
  }))
  const { chunks, byteLength, release } = encodeResponse(Metadata, 9, 1, { brokers: [], topics })
  const whole = Buffer.concat(chunks)
  release()
  expect(whole.length).toBe(byteLength)
  expect(whole.length).toBeGreaterThan(1 << 20)
  const { value } = decodeResponse(Metadata, 9, whole.subarray(4))
  expect(value.topics[59_999]!.name).toBe('topic-with-a-name-59999')
})
