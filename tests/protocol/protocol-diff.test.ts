// The comparison with Kafka's message JSON finds what it is meant to find. (Kafka's own files are not in the tree.)
import { expect, test } from 'vitest'
import { compare, compareRange, parseJson, parseRange } from '../../scripts/protocol-diff.ts'

const heartbeat = `{
  "apiKey": 12, "type": "response", "name": "HeartbeatResponse", // a comment, "quoted" and all
  "validVersions": "0-4", "flexibleVersions": "4+",
  "fields": [
    { "name": "ThrottleTimeMs", "type": "int32", "versions": "1+", "ignorable": true, "about": "http://not.a/comment" },
    { "name": "ErrorCode", "type": "int16", "versions": "0+" }
  ]
}`
const changed = (from: string, to: string): string[] => {
  const text = heartbeat.replace(from, to)
  expect(text).not.toBe(heartbeat)
  return compare(parseJson(text))!
}

test('equal definitions have no difference', () => {
  expect(compare(parseJson(heartbeat))).toEqual([])
})

test('each kind of difference is told', () => {
  expect(changed('"apiKey": 12', '"apiKey": 13')).toEqual(['HeartbeatResponse: key 13 in Kafka, 12 here'])
  expect(changed('"0-4"', '"0-5"')).toEqual(['HeartbeatResponse v5: not defined here'])
  expect(changed('"4+"', '"3+"')).toEqual(['HeartbeatResponse v3: flexible here: false'])
  expect(changed('"versions": "1+"', '"versions": "2+"')[0]).toMatch(/v1: the list of fields is \["errorCode"\]/)
  expect(changed('"ErrorCode"', '"ErrorCodes"')).toHaveLength(5)
  expect(changed('int16', 'int8')[0]).toMatch(/v0: type is "int8" in Kafka, "int16" here/)
  expect(changed('"ignorable": true', '"default": "5"')).toContainEqual(expect.stringMatching(/default is 5/))
  expect(changed(' "ignorable": true,', '')[0]).toMatch(/ignorable is false in Kafka, true here/)
  expect(changed('"int16", "versions": "0+"', '"string", "versions": "0+", "nullableVersions": "2+"')).toContainEqual(
    expect.stringMatching(/v2: nullable is true/),
  )
  expect(changed('"ignorable": true', '"tag": 0, "taggedVersions": "4+", "ignorable": true')[0]).toMatch(/v4/)
})

test('messages that we leave out are told apart from differences', () => {
  expect(compare(parseJson(heartbeat.replace('HeartbeatResponse', 'VoteResponse')))).toBeNull()
})

test('ranges of versions', () => {
  expect(parseRange('2+')).toEqual([2, Infinity])
  expect(parseRange('3')).toEqual([3, 3])
  expect(parseRange('1-4')).toEqual([1, 4])
  expect(parseRange('none')).toEqual([0, -1])
})

test('the versions of a release differ where our table says something else', () => {
  const request = (validVersions: string, latestVersionUnstable = false) =>
    parseJson(
      JSON.stringify({
        type: 'request',
        name: 'FetchRequest',
        listeners: ['broker'],
        validVersions,
        latestVersionUnstable,
      }),
    )
  expect(compareRange('4.0', request('4-17'))).toEqual([])
  expect(compareRange('4.0', request('4-18', true))).toEqual([])
  expect(compareRange('4.0', request('4-18'))).toEqual(['FetchRequest: versions 4-18 in Kafka 4.0, 4-17 in our table'])
  expect(compareRange('4.0', request('0', true))).toHaveLength(1)
})
