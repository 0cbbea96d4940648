// `odradek protocol`: the list, layouts, bytes as JSON, and refusals in one sentence.
import { describe, expect, test } from 'vitest'
import { encodeRequest, encodeResponse, Heartbeat } from '../../../../protocol/index.ts'
import { describeMessage } from '../../../../protocol/describe.ts'
import { allMessages } from '../../../../protocol/registry.ts'
import { apis } from '../../../../src/apis/index.ts'
import { ConfigError } from '../../../../src/config/index.ts'
import { run } from '../../../../src/cli/commands/protocol.ts'

async function print(args: readonly string[], input = ''): Promise<string> {
  let printed = ''
  await run(args, { out: text => void (printed += text), readInput: () => Promise.resolve(input) })
  return printed
}
const json = async (args: readonly string[], input?: string): Promise<unknown> => JSON.parse(await print(args, input))
const hexOf = ({ chunks }: { chunks: Buffer[] }): string => Buffer.concat(chunks).toString('hex')

describe('the list', () => {
  test('names every API that is served, with its versions', async () => {
    const printed = await print([])
    for (const { api, versions } of apis) {
      const range = versions[0] === versions[1] ? versions[0] : versions.join('-')
      expect(printed).toMatch(new RegExp(`^${api.key} +${api.name} +${range} `, 'm'))
    }
    expect(printed).toMatch(new RegExp(`^${apis.length} APIs are served`, 'm'))
  })

  test('of a release', async () => {
    expect(await print(['--as-version', '3.9'])).toMatch(/^18 +ApiVersions +0-4 /m)
  })
})

describe('a layout', () => {
  test('of a version that is not flexible', async () => {
    expect(await print(['heartbeat', '0'])).toBe(`Heartbeat 0: API key 12, not flexible

Request, header version 1
  groupId       string
  generationId  int32
  memberId      string

Response, header version 0
  errorCode  int16
`)
  })

  test('of a flexible one: compact types, tags with defaults, what is new', async () => {
    const printed = await print(['Produce', '10'])
    expect(printed).toMatch(/^Produce 10: API key 0, flexible \(/)
    expect(printed).toMatch(/^Request, header version 2$/m)
    expect(printed).toMatch(/^ {6}records +nullable compact records$/m)
    expect(printed).toMatch(/^ {6}currentLeader +struct +tag 0, new$/m)
    expect(printed).toMatch(/^ {8}leaderId +int32 +default -1$/m)
    expect(printed).toMatch(/^ {2}nodeEndpoints +compact array of struct +tag 0, default empty, new$/m)
  })

  test('names fields that are gone', async () => {
    expect(await print(['produce', '13'])).toMatch(/gone since version 12: topicData.name$/m)
  })

  test('by key, by name in any spelling; without a version the newest stable one', async () => {
    expect(await print(['18', '3'])).toBe(await print(['api-versions', '3']))
    expect(await print(['initproducerid'])).toBe(await print(['InitProducerId', '5']))
    expect(await print(['InitProducerId', '6'])).toMatch(/Kafka calls it unstable/)
  })

  test('can be described for every version of every message', () => {
    let fields = 0
    for (const message of allMessages) {
      for (let version = message.versions[0]; version <= message.versions[1]; version++) {
        fields += describeMessage(message, version).fields.length
      }
    }
    expect(fields).toBeGreaterThan(5000)
  })
})

describe('decode', () => {
  const body = ['decode', '--api', 'heartbeat', '--version', '0', '--type', 'response']

  test('a body, with spaces, from arguments or from standard input', async () => {
    expect(await json([...body, '001b'])).toEqual({ errorCode: 27 })
    expect(await json([...body, '00', '1b'])).toEqual({ errorCode: 27 })
    expect(await json([...body, '-'], '00\n 1B\r\n')).toEqual({ errorCode: 27 })
  })

  test('a whole frame', async () => {
    const request = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
    const frame = hexOf(encodeRequest(Heartbeat, 4, 7, 'me', request))
    expect(await json(['decode', '--frame', frame])).toEqual({
      api: 'Heartbeat',
      header: { requestApiKey: 12, requestApiVersion: 4, correlationId: 7, clientId: 'me' },
      request,
    })
    const answer = hexOf(encodeResponse(Heartbeat, 4, 7, { errorCode: 27 }))
    expect(await json(['decode', '--frame', '--api', '12', '--version', '4', '--type', 'response', answer])).toEqual({
      header: { correlationId: 7 },
      response: { throttleTimeMs: 0, errorCode: 27 },
    })
  })

  test('a record by name, with its version in front or given; int64 beyond JSON as text', async () => {
    const value = '7fffffffffffffff00000000000000000001'
    const data = { offset: '9223372036854775807', metadata: '', commitTimestamp: 1 }
    expect(await json(['decode', '--message', 'offsetcommitvalue', '--version', '2', value])).toEqual(data)
    expect(await json(['decode', '--message', 'OffsetCommitValue', `0002${value}`])).toEqual({ version: 2, data })
  })

  test.each([
    [
      ['decode', '--api', 'heartbeat', '00'],
      'Give --api, --version and --type, or --message with the name of a record.',
    ],
    [body, 'Give the bytes as hex, or - to read the hex from standard input.'],
    [[...body, '0'], 'Two hex digits make a byte, but there are 1.'],
    [[...body, '0x'], 'These bytes cannot be decoded: 2 bytes needed, 0 left at byte 0.'],
    [[...body, 'no'], "'n' is no hex digit."],
    [[...body, '001b00'], 'These bytes cannot be decoded: 1 bytes left over at byte 2.'],
    [
      ['decode', '--message', 'OffsetCommitValu', '00'],
      "There is no message 'OffsetCommitValu'. Did you mean OffsetCommitValue?",
    ],
    [
      ['decode', '--message', 'OffsetCommitValue', '--version', '9', '00'],
      "OffsetCommitValue has the versions 0 to 4, but not '9'.",
    ],
    [
      ['decode', '--message', 'OffsetCommitValue', '7fff'],
      'These bytes cannot be decoded: OffsetCommitValue has no version 32767.',
    ],
    [
      ['decode', '--frame', '0000000003e8'],
      'These bytes cannot be decoded: the frame says 0 bytes, but 2 follow, at byte 4.',
    ],
    [['decode', '--frame', '0000000403e80000'], "The frame's header names API key 1000, which is not known."],
    [['decode', '--type', 'both', '00'], "--type must be request or response, but it is 'both'."],
    [['decode', '--version', 'x', '00'], "--version must be a number, but it is 'x'."],
    [['produc', '9'], "There is no API 'produc'; odradek protocol lists those served. Did you mean Produce?"],
    [['produce', '14'], "Produce has the versions 0 to 13, but not '14'."],
    [['produce', '9', '10'], 'Give one API and one version, as in odradek protocol produce 9.'],
    [['produce', '--type', 'request'], '--type belongs to odradek protocol decode.'],
    [['--as-version', '2.8'], "--as-version must be one of 3.9, 4.0, 4.1, 4.2, 4.3, 4.4, but it is '2.8'."],
    [['--frob'], "Unknown option '--frob'; odradek protocol --help says what there is."],
  ])('refuses %j', async (args, message) => {
    await expect(print(args)).rejects.toThrow(new ConfigError(message))
  })
})
