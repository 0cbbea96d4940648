// Every API in the list answers every version it advertises, and nothing else is answered: checked against the list
// itself, with requests of nothing but defaults, and with one default element in every array.
import { describe, expect, it } from 'vitest'
import { ApiVersions, encodeRequest, type Api, type AskOf } from '../../protocol/index.ts'
import type { Shape, Spec } from '../../protocol/schema.ts'
import { apis } from '../../src/apis/index.ts'
import { bytesOf, open } from '../../compat/harness/wire.ts'
import { broker } from './support.ts'

const zeros: Partial<Record<Spec['kind'], unknown>> = {
  bool: false,
  string: '',
  bytes: Buffer.alloc(0),
  records: { byteLength: 0, parts: [] },
  uuid: 'AAAAAAAAAAAAAAAAAAAAAA',
}

/** A value of the shape for this version: what has no fallback gets its type's zero, arrays `elements` of such. */
function defaultsOf(shape: Shape, version: number, elements: 0 | 1): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, { spec }] of Object.entries(shape)) {
    if (version < spec.since || version > spec.until || spec.tag !== null) continue
    if (spec.kind === 'array')
      values[name] = Array.from({ length: elements }, () => zeroOf(spec.of!.spec, version, elements))
    else if (spec.fallback === undefined) values[name] = zeroOf(spec, version, elements)
  }
  return values
}

const zeroOf = (spec: Spec, version: number, elements: 0 | 1): unknown =>
  spec.kind === 'struct' ? defaultsOf(spec.fields!, version, elements) : (zeros[spec.kind] ?? 0)

/** With acks=0 there would be no answer. */
function requestOf(api: Api, version: number, elements: 0 | 1): AskOf<Api> {
  const request = defaultsOf(api.request.shape, version, elements)
  return api.name === 'Produce' ? { ...request, acks: 1 } : request
}

const upTo = ([first, last]: readonly [number, number]): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

describe('every API', () => {
  it('answers every version it serves, decodable to the last byte', async () => {
    const { bootstrap } = await broker()
    let answered = 0
    for (const { api, versions } of apis) {
      for (const version of upTo(versions)) {
        for (const elements of [0, 1] as const) {
          const client = await open(bootstrap)
          const answer = client.request(api, version, requestOf(api, version, elements))
          await expect(answer, `${api.name} ${version}, ${elements} elements`).resolves.toBeTypeOf('object')
          client.close()
          answered++
        }
      }
    }
    expect(answered).toBeGreaterThan(200)
  })

  it('is listed by every version of ApiVersions with the range it advertises', async () => {
    const { bootstrap } = await broker()
    const client = await open(bootstrap)
    const expected = apis.map(({ api, advertised: [minVersion, maxVersion] }) => ({
      apiKey: api.key,
      minVersion,
      maxVersion,
    }))
    for (const version of upTo(ApiVersions.versions)) {
      const { errorCode, apiKeys } = await client.request(ApiVersions, version, {
        clientSoftwareName: 'e2e',
        clientSoftwareVersion: '1',
      })
      expect([errorCode, apiKeys]).toEqual([0, expected])
    }
    client.close()
  })
})

describe('what is not served', () => {
  const frame = (key: number, version: number): Buffer => {
    const bytes = Buffer.alloc(4 + 10)
    bytes.writeInt32BE(10, 0)
    bytes.writeInt16BE(key, 4)
    bytes.writeInt16BE(version, 6)
    bytes.writeInt32BE(7, 8)
    bytes.writeInt16BE(-1, 12)
    return bytes
  }

  it('closes the connection: unknown APIs, versions beyond both ends', async () => {
    const { bootstrap } = await broker()
    const refused: [number, number][] = [
      [999, 0],
      [-1, 0],
      [7, 0],
    ]
    for (const { api, versions } of apis) {
      if (api !== ApiVersions) refused.push([api.key, versions[1] + 1], [api.key, 32_767], [api.key, versions[0] - 1])
    }
    for (const [key, version] of refused) {
      const client = await open(bootstrap)
      expect(await client.raw(frame(key, version)), `API ${key}, version ${version}`).toBeNull()
      await client.closed
    }
  })

  it('ApiVersions above its highest gets error 35 in the body of version 0, and the connection stays', async () => {
    const { bootstrap } = await broker()
    const client = await open(bootstrap)
    const answer = await client.raw(frame(ApiVersions.key, 99))
    const [, last] = apis.find(({ api }) => api === ApiVersions)!.advertised
    const body = Buffer.alloc(4 + 2 + 4 + 6)
    body.writeInt32BE(7, 0)
    body.writeInt16BE(35, 4)
    body.writeInt32BE(1, 6)
    body.writeInt16BE(ApiVersions.key, 10)
    body.writeInt16BE(last, 14)
    expect(answer).toEqual(body)
    expect((await client.request(ApiVersions, 0, {})).errorCode).toBe(0)
    client.close()
  })

  it('answers of one connection come in the order of its requests', async () => {
    const { bootstrap } = await broker()
    const client = await open(bootstrap)
    const ask = { clientSoftwareName: 'e2e', clientSoftwareVersion: '1' }
    const frames = upTo([1, 50]).map(id => bytesOf(encodeRequest(ApiVersions, 3, id, null, ask).chunks))
    const answers = await Promise.all(frames.map(bytes => client.raw(bytes)))
    expect(answers.map(answer => answer?.readInt32BE(0))).toEqual(upTo([1, 50]))
    client.close()
  })
})
