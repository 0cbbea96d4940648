// Transcripts: a script of commands (lines that begin with ">") with what they lead to below each. The test runs the
// commands and compares the whole text. Words without "=" are positional; `wait 5s` lets time pass.
import { expect, it } from 'vitest'
import { errorOf, KafkaError } from '../../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'
import { encodeCoordinatorKey } from '../../../../protocol/state/coordinator-record.ts'
import { offsetCommitRecord } from '../../../../protocol/state/group-coordinator.ts'
import { encodeVersioned } from '../../../../protocol/state/versioned.ts'
import type { StoredRecord } from '../../../../src/coordinators/machine.ts'
import type { GroupCommand, GroupConfig, GroupRecord, GroupReply } from '../../../../src/coordinators/group/commands.ts'
import { showRecord, showReply, showState } from './show.ts'
import { commitRequest, joinRequest, subscription, syncRequest } from './requests.ts'
import { World } from './world.ts'

interface Words {
  readonly positional: string[]
  readonly get: (name: string) => string | undefined
}

const MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function duration(text: string): number {
  const [, number, unit = 'ms'] = /^(-?\d+)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (number === undefined) throw new Error(`no duration: ${text}`)
  return Number(number) * MS[unit]!
}

/** A 22-character topic id from a short name. */
export const idOf = (name: string) => (name === '' ? ZERO_UUID : name.padEnd(22, 'A'))

class Script {
  readonly world: World
  readonly #out: string[] = []
  readonly #tickets: { who: string; type: GroupCommand['type'] }[] = []
  readonly #joins = new Map<string, number>()

  constructor(config: Partial<GroupConfig>) {
    this.world = new World(config, {
      logged: (record: GroupRecord) => this.#print(`log: ${showRecord(record)}`),
      replied: (ticket: number, reply: GroupReply) => {
        const { who, type } = this.#tickets[ticket]!
        for (const line of showReply(type, reply)) this.#print(`${who}: ${line}`)
      },
    })
  }

  run(line: string): string[] {
    const words = line.split(/\s+/)
    const named = new Map(words.filter(word => word.includes('=')).map(word => split(word, '=')))
    const positional = words.filter(word => !word.includes('='))
    this.#out.length = 0
    this.#execute({ positional, get: name => named.get(name) })
    return [...this.#out]
  }

  #print(line: string): void {
    this.#out.push(`  ${line}`)
  }

  #execute(words: Words): void {
    const [verb = '', who = ''] = words.positional
    switch (verb) {
      case 'wait':
        return this.world.advance(duration(who))
      case 'reload':
        return this.world.reload()
      case 'state':
        return showState(this.world.machine, this.world.now).forEach(line => this.#print(line))
      case 'pending':
        return this.#pending(words)
      case 'marker':
        return this.world.inject({
          marker: words.positional[2] === 'commit' ? 'commit' : 'abort',
          producerId: Number(who),
        })
      default:
        return this.#submit(who, this.#command(words))
    }
  }

  #submit(who: string, command: GroupCommand): void {
    const ticket = this.#tickets.push({ who, type: command.type }) - 1
    try {
      this.world.submit(command, ticket)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#print(`${who}: ${errorOf(error.code).name}`)
    }
  }

  /** `pending <producer> t-0=5`: somebody's offset in an open transaction. */
  #pending({ positional, get }: Words): void {
    const group = get('group') ?? 'g'
    for (const [topic, partition, offset] of offsetsOf(get('offsets') ?? '')) {
      this.world.inject({
        key: encodeCoordinatorKey(offsetCommitRecord, { group, topic, partition }),
        value: encodeVersioned(offsetCommitRecord.value, 3, {
          offset,
          metadata: '',
          commitTimestamp: this.world.now,
          topicId: ZERO_UUID,
        }),
        producerId: Number(positional[1]),
        isTransactional: true,
      })
    }
  }

  #command(words: Words): GroupCommand {
    const { positional, get } = words
    const groupId = get('group') ?? 'g'
    const apiVersion = Number(get('v') ?? 5)
    const rest = positional.slice(2)
    switch (positional[0]) {
      case 'join':
        return this.#join(words, groupId)
      case 'sync':
        return { type: 'sync', request: syncRequest({ groupId, ...identity(get), ...assignments(get) }) }
      case 'beat': {
        return { type: 'heartbeat', request: { groupId, ...identity(get) } }
      }
      case 'leave':
        return { type: 'leave', groupId, members: rest.map(leaving) }
      case 'commit':
        return { type: 'offsetCommit', request: commit(get, groupId), apiVersion: Number(get('v') ?? 9) }
      case 'fetch':
        return fetchCommand(words, groupId)
      case 'describe':
        return { type: 'describe', groupIds: rest, apiVersion }
      case 'list':
        return { type: 'list', statesFilter: list(get('states')), typesFilter: list(get('types')) }
      case 'delete':
        return { type: 'delete', groupIds: rest }
      case 'deleted': {
        const topics = rest.map(topic => split(topic, ':')).map(([name, id]) => ({ name, topicId: idOf(id) }))
        return { type: 'topicsDeleted', topics }
      }
      case undefined:
      default:
        throw new Error(`unknown command: ${positional[0]}`)
    }
  }

  #join({ positional, get }: Words, groupId: string): GroupCommand {
    const clientId = positional[1]!
    const memberId = get('member') ?? ''
    const owner = get('instance') ?? clientId
    const count = (this.#joins.get(owner) ?? 0) + (memberId === '' ? 1 : 0)
    this.#joins.set(owner, count)
    return {
      type: 'join',
      apiVersion: Number(get('v') ?? 5),
      clientId,
      clientHost: get('host') ?? '/127.0.0.1',
      memberIdSuffix: String(count),
      request: joinRequest({
        groupId,
        memberId,
        groupInstanceId: get('instance') ?? null,
        sessionTimeoutMs: duration(get('session') ?? '10s'),
        rebalanceTimeoutMs: duration(get('rebalance') ?? '60s'),
        protocolType: get('type') ?? 'consumer',
        protocols: list(get('protocols') ?? 'range:t').map(text => {
          const [name, topics] = split(text, ':')
          return { name, metadata: topics.startsWith('!') ? Buffer.from(topics) : subscription(topics.split('+')) }
        }),
      }),
    }
  }
}

function split(text: string, by: string): [string, string] {
  const at = text.indexOf(by)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

const list = (text: string | undefined) => (text ? text.split(',') : [])

const identity = (get: Words['get']) => ({
  memberId: get('member') ?? '',
  generationId: Number(get('gen') ?? 1),
  groupInstanceId: get('instance') ?? null,
})

const assignments = (get: Words['get']) => ({
  protocolType: get('type') ?? null,
  protocolName: get('protocol') ?? null,
  assignments: list(get('assign'))
    .map(text => split(text, ':'))
    .map(([memberId, bytes]) => ({ memberId, assignment: Buffer.from(bytes) })),
})

function leaving(text: string) {
  const [memberId, instance] = split(text, '@')
  return { memberId, groupInstanceId: instance === '' ? null : instance, reason: null }
}

/** t-0:5,t-1:7 */
const offsetsOf = (text: string) =>
  list(text).map(one => {
    const [partition, offset] = split(one, ':')
    const [topic, index] = [partition.replace(/-\d+$/, ''), Number(/\d+$/.exec(partition)?.[0] ?? 0)]
    return [topic, index, Number(offset)] as const
  })

function commit(get: Words['get'], groupId: string) {
  const partitions = Object.fromEntries(offsetsOf(get('offsets') ?? '').map(([t, p, offset]) => [`${t}-${p}`, offset]))
  const request = commitRequest(partitions, {
    groupId,
    memberId: get('member') ?? '',
    generationIdOrMemberEpoch: Number(get('gen') ?? -1),
    groupInstanceId: get('instance') ?? null,
    retentionTimeMs: duration(get('retention') ?? '-1'),
  })
  const repeat = get('repeat')
  const metadata = repeat === undefined ? (get('meta') ?? '') : 'x'.repeat(Number(repeat))
  for (const topic of request.topics) {
    topic.topicId = idOf(get('id') ?? '')
    for (const partition of topic.partitions) {
      partition.committedMetadata = metadata === 'null' ? null : metadata
      partition.committedLeaderEpoch = Number(get('epoch') ?? -1)
    }
  }
  return request
}

function fetchCommand({ positional, get }: Words, groupId: string): GroupCommand {
  const rest = positional.slice(2)
  const requireStable = rest.includes('stable')
  const partitions = rest.filter(word => word !== 'stable' && word !== 'all')
  const topics = offsetsOf(partitions.join(',')).map(([name, partition]) => ({
    name,
    topicId: idOf(get('id') ?? ''),
    partitionIndexes: [partition],
  }))
  return { type: 'offsetFetch', groupId, topics: rest.includes('all') ? null : topics, requireStable }
}

/**
 * Runs the commands of the text and expects what stands below each. `records` are in the log before.
 * Returns the world for further questions.
 */
export function transcript(
  text: string,
  config: Partial<GroupConfig> = {},
  records: readonly Partial<StoredRecord>[] = [],
): World {
  const lines = text.split('\n').map(line => line.trim())
  const script = new Script(config)
  for (const record of records) script.world.inject(record)
  if (records.length > 0) script.world.reload()
  const actual: string[] = []
  const expected: string[] = []
  for (const line of lines.filter(each => each !== '' && !each.startsWith('#'))) {
    expected.push(line.startsWith('>') ? line : `  ${line}`)
    if (!line.startsWith('>')) continue
    actual.push(line)
    actual.push(...script.run(line.slice(1).trim()))
  }
  expect(actual.join('\n')).toBe(expected.join('\n'))
  return script.world
}

/** A test that is nothing but a transcript. */
export function scenario(name: string, text: string, config: Partial<GroupConfig> = {}): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller's
  it(name, () => {
    transcript(text, config)
    expect.assertions(1)
  })
}
