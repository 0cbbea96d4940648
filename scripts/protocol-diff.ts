// Compares our definitions with Kafka's message JSON: `npm run protocol:diff -- DIR`. DIR holds *.json at any depth. For
// each version that a file defines: names, order, types, nullability, tags, defaults and ignorable of every field. Prints
// each difference; exit code 1 if there is one. Messages that we leave out are named at the end. Under a folder named as a
// release (4.4) the version ranges that `--as-version` gives for it are compared too.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve, sep } from 'node:path'
import type { Message } from '../protocol/api.ts'
import { fieldsIn, isNullable } from '../protocol/layout.ts'
import { apis } from '../protocol/messages/index.ts'
import { messageByName } from '../protocol/registry.ts'
import { struct, ZERO_UUID, type AnyField, type Shape } from '../protocol/schema.ts'
import { groupCoordinatorRecords, metadataRecords } from '../protocol/state/index.ts'
import { apiRange, isRelease, type Release } from '../src/config/releases.ts'

interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly taggedVersions?: string
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly ignorable?: boolean | string
  readonly flexibleVersions?: string
  readonly fields?: readonly KafkaField[]
}
export interface KafkaMessage {
  readonly apiKey?: number
  readonly type: string
  readonly name: string
  readonly listeners?: readonly string[]
  readonly validVersions: string
  readonly latestVersionUnstable?: boolean
  readonly flexibleVersions?: string
  readonly fields?: readonly KafkaField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly KafkaField[] }[]
}

/** What Kafka 4 renamed without changing a byte. */
const RENAMED: { readonly [name: string]: string } = {
  ListClientMetricsResourcesRequest: 'ListConfigResourcesRequest',
  ListClientMetricsResourcesResponse: 'ListConfigResourcesResponse',
  'ListConfigResourcesResponse.clientMetricsResources': 'configResources',
  'ListConfigResourcesResponse.configResources.name': 'resourceName',
  'TxnOffsetCommitRequest.generationId': 'generationIdOrMemberEpoch',
}

/**
 * Tagged fields that a later release added without a new version (KIP-482 allows it: who does not know them skips
 * them). They are no difference where the release lacks them.
 */
const ADDED_TAGS: ReadonlySet<string> = new Set([
  'ConsumerGroupCurrentMemberAssignmentValue.assignedPartitions.assignmentEpochs',
  'ConsumerGroupCurrentMemberAssignmentValue.partitionsPendingRevocation.assignmentEpochs',
  'ConsumerGroupMetadataValue.metadataHash',
  'ConsumerGroupTargetAssignmentMetadataValue.assignmentTimestamp',
  'OffsetCommitValue.topicId',
  'TransactionLogValue.previousProducerId',
  'TransactionLogValue.nextProducerId',
  'TransactionLogValue.clientTransactionVersion',
  'TransactionLogValue.nextProducerEpoch',
])

/** Early access in 3.9 (KIP-932): version 0 got other bytes, under the same or the next number, before it was stable. */
const EARLY_ACCESS =
  /^(Share(GroupHeartbeat|GroupDescribe|Fetch|Acknowledge)(Request|Response)|ReadShareGroupStateSummaryResponse|ShareGroupMetadataValue)$/

type Range = readonly [number, number]
const NONE: Range = [0, -1]

export function parseRange(text: string | undefined): Range {
  if (text === undefined || text === 'none') return NONE
  const [first, last] = text.endsWith('+') ? [text.slice(0, -1), 'Infinity'] : text.split('-')
  return [Number(first), Number(last ?? first)]
}
const inRange = (version: number, [first, last]: Range): boolean => version >= first && version <= last

/** Kafka's JSON allows line comments. */
export function parseJson(text: string): KafkaMessage {
  const bare = text.replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, literal?: string) => literal ?? '')
  return JSON.parse(bare) as KafkaMessage
}

const lowerFirst = (name: string): string => name[0]!.toLowerCase() + name.slice(1)

/** The default in one form for both sides: the declared one, or the type's zero. */
function kafkaDefault({ type, default: declared }: KafkaField): unknown {
  // JSON's null (not the string) declares nothing: it stands for the empty array or the struct of defaults.
  const text = declared === undefined || declared === null ? undefined : String(declared)
  if (text === 'null') return null
  if (type.startsWith('[]')) return '[]'
  switch (type) {
    case 'string':
      return text ?? ''
    case 'bool':
      return text === 'true'
    case 'uuid':
      return text ?? ZERO_UUID
    case 'bytes':
      return 'empty'
    case 'records':
      return null
    default:
      return /^[a-z]/.test(type) ? Number(text ?? 0) : 'struct of defaults'
  }
}

function ourDefault({ spec }: AnyField): unknown {
  if (spec.fallback !== undefined) return spec.fallback
  switch (spec.kind) {
    case 'array':
      return '[]'
    case 'string':
      return ''
    case 'bool':
      return false
    case 'uuid':
      return ZERO_UUID
    case 'bytes':
      return 'empty'
    case 'records':
      return null
    case 'struct':
      return 'struct of defaults'
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint16':
    case 'uint32':
    case 'float64':
      return 0
  }
}

function ourType({ spec }: AnyField): string {
  if (spec.kind === 'array') return `[]${ourType(spec.of!)}`
  return spec.kind === 'struct' ? 'struct' : spec.kind
}
const kafkaType = (type: string): string => type.replace(/[A-Z]\w*$/, 'struct')

/** Compares one message in one version, gathering differences. */
class Comparison {
  readonly #theirs: KafkaMessage
  readonly #version: number
  readonly #report: (line: string) => void

  constructor(theirs: KafkaMessage, version: number, report: (line: string) => void) {
    this.#theirs = theirs
    this.#version = version
    this.#report = report
  }

  #say(path: string, what: string, theirs: unknown, ours: unknown): void {
    this.#report(
      `${path} v${this.#version}: ${what} is ${JSON.stringify(theirs)} in Kafka, ${JSON.stringify(ours)} here`,
    )
  }

  /** `range`: the versions in which the struct itself exists. */
  fields(path: string, theirs: readonly KafkaField[], ours: AnyField, range: Range): void {
    const { plain, tagged } = fieldsIn(ours.spec, this.#version)
    const mine = new Map([...plain, ...tagged])
    const present = theirs.filter(f => inRange(this.#version, parseRange(f.versions ?? f.taggedVersions)))
    const named = present.map(f => [this.#nameOf(path, f), f] as const)
    const isTagged = (f: KafkaField): boolean => inRange(this.#version, parseRange(f.taggedVersions))
    const order = named.filter(([, f]) => !isTagged(f)).map(([name]) => name)
    const myOrder = plain.map(([name]) => name)
    if (order.join() !== myOrder.join()) this.#say(path, 'the list of fields', order, myOrder)
    const tags = named.filter(([, f]) => isTagged(f)).map(([name, f]) => `${f.tag} ${name}`)
    const known = tagged.filter(([name]) => !ADDED_TAGS.has(`${path}.${name}`) || named.some(([n]) => n === name))
    const myTags = known.map(([name, f]) => `${f.spec.tag} ${name}`)
    if (tags.toSorted().join() !== myTags.toSorted().join()) this.#say(path, 'the list of tags', tags, myTags)
    for (const [name, field] of named) {
      const own = mine.get(name)
      if (own) this.#field(`${path}.${name}`, field, own, range)
    }
  }

  #nameOf(path: string, { name }: KafkaField): string {
    return RENAMED[`${path}.${lowerFirst(name)}`] ?? lowerFirst(name)
  }

  #field(path: string, theirs: KafkaField, ours: AnyField, range: Range): void {
    const same = (what: string, a: unknown, b: unknown): void => {
      if (a !== b) this.#say(path, what, a, b)
    }
    same('type', kafkaType(theirs.type), ourType(ours))
    const nullable = inRange(this.#version, parseRange(theirs.nullableVersions))
    same('nullable', nullable, isNullable(ours.spec, this.#version))
    same('default', kafkaDefault(theirs), ourDefault(ours))
    if (theirs.flexibleVersions === 'none') same('plain', true, ours.spec.plain)
    // Ignorable says what to do where the field is lacking: it means nothing where the struct always has the field.
    const own = parseRange(theirs.versions ?? theirs.taggedVersions)
    const common: Range = [Math.max(own[0], range[0]), Math.min(own[1], range[1])]
    if (common[0] > range[0] || common[1] < range[1]) {
      same('ignorable', String(theirs.ignorable) === 'true', ours.spec.ignorable)
    }
    const element = ours.spec.kind === 'array' ? ours.spec.of! : ours
    const fields = this.#fieldsOf(theirs)
    if (fields && element.spec.fields) this.fields(path, fields, element, common)
  }

  #fieldsOf({ type, fields }: KafkaField): readonly KafkaField[] | undefined {
    const element = type.replace('[]', '')
    return fields ?? this.#theirs.commonStructs?.find(({ name }) => name === element)?.fields
  }
}

/** Before 4.0 the version of a group coordinator's key was the record's type; each type is a message of its own now. */
function targetOf(theirs: KafkaMessage, version: number): { message: Message<Shape> | undefined; version: number } {
  const isOldKey = theirs.type === 'data' && groupCoordinatorRecords.some(({ key }) => key.name === theirs.name)
  const record = isOldKey ? groupCoordinatorRecords.find(({ type }) => type === version) : undefined
  if (record) return { message: record.key, version: 0 }
  return { message: messageByName(RENAMED[theirs.name] ?? theirs.name), version }
}

function keysDiffer(theirs: KafkaMessage, ours: Message<Shape>): number | null {
  const api = apis.find(({ request, response }) => request === ours || response === ours)
  const record = Object.values(metadataRecords).find(({ message }) => message === ours)
  const coordinator = groupCoordinatorRecords.find(({ key, value }) => key === ours || value === ours)
  const key = api?.key ?? record?.type ?? coordinator?.type ?? theirs.apiKey
  return theirs.apiKey !== undefined && theirs.apiKey !== key ? (key ?? null) : null
}

/** Every difference between one of Kafka's messages and ours; null if we do not define the message. */
export function compare(theirs: KafkaMessage): string[] | null {
  const lines: string[] = []
  const report = (line: string): void => void lines.push(line)
  const [first, last] = parseRange(theirs.validVersions)
  const flexible = parseRange(theirs.flexibleVersions)
  let defined = false
  for (let version = first; version <= last; version++) {
    const target = targetOf(theirs, version)
    const ours = target.message
    if (!ours || !theirs.fields) continue
    defined = true
    if (version === first) {
      const key = keysDiffer(theirs, ours)
      if (key !== null) report(`${theirs.name}: key ${theirs.apiKey} in Kafka, ${key} here`)
    }
    if (isEarlyAccess(theirs, version)) continue
    if (!inRange(target.version, ours.versions)) {
      report(`${theirs.name} v${version}: not defined here`)
      continue
    }
    const isFlexible = target.version >= ours.flexible
    if (inRange(version, flexible) !== isFlexible) report(`${theirs.name} v${version}: flexible here: ${isFlexible}`)
    // The comparison asks both sides for the same number, so an old key is compared as the version that it had.
    new Comparison(theirs, version, report).fields(ours.name, theirs.fields, struct(ours.shape), [first, last])
  }
  return defined ? lines : null
}

/** 4.x either starts at version 1 or has the field that 3.9 lacks. */
function isEarlyAccess({ name, fields, validVersions }: KafkaMessage, version: number): boolean {
  if (!EARLY_ACCESS.test(name) || version !== 0) return false
  const text = JSON.stringify(fields)
  if (name === 'ShareGroupMetadataValue') return !text.includes('MetadataHash')
  if (name === 'ReadShareGroupStateSummaryResponse') return !text.includes('LeaderEpoch')
  return parseRange(validVersions)[0] === 0
}

/** Where our table of releases differs from the versions that a release's request says it serves on a broker. */
export function compareRange(release: Release, theirs: KafkaMessage): string[] {
  if (theirs.type !== 'request' || !theirs.listeners?.includes('broker')) return []
  const [first, last] = parseRange(theirs.validVersions)
  const stable = theirs.latestVersionUnstable === true ? last - 1 : last
  const expected = stable < first ? 'none' : `${first}-${stable}`
  const name = (RENAMED[theirs.name] ?? theirs.name).replace(/Request$/, '')
  const ours = apiRange(release, name)?.join('-') ?? 'none'
  return ours === expected ? [] : [`${theirs.name}: versions ${expected} in Kafka ${release}, ${ours} in our table`]
}

function main(dir: string | undefined): number {
  if (dir === undefined) {
    console.error('usage: npm run protocol:diff -- DIR')
    return 1
  }
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.json'))
  const missing: string[] = []
  let compared = 0
  let differences = 0
  for (const file of files.toSorted()) {
    const theirs = parseJson(readFileSync(join(dir, file), 'utf8'))
    const release = resolve(dir, file).split(sep).findLast(isRelease)
    const ranges = release === undefined ? [] : compareRange(release, theirs)
    for (const line of ranges) console.log(line)
    differences += ranges.length
    const lines = compare(theirs)
    if (lines === null) missing.push(basename(file, '.json'))
    else compared++
    for (const line of lines ?? []) console.log(line)
    differences += lines?.length ?? 0
  }
  if (missing.length > 0) console.log(`left out here: ${missing.join(', ')}`)
  console.log(`${compared} messages compared, ${differences} differences, ${missing.length} left out`)
  return differences > 0 || compared === 0 ? 1 : 0
}

if (process.argv[1]?.endsWith('protocol-diff.ts')) process.exitCode = main(process.argv[2])
