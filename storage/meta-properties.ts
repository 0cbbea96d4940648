/**
 * `meta.properties`: whose log directory this is (MetaProperties.java), a Java properties file: version=1, cluster.id,
 * node.id, directory.id (KIP-858), and odradek.version=1, by which we know a directory of ours: Apache Kafka
 * ignores keys it does not know here.
 */
import { integer } from './checkpoint.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import * as names from './names.ts'

const VERSION = 1
/** Layout of what we write beyond Apache Kafka's formats. */
const OUR_VERSION = 1

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  /** 22 characters of base64url; null in a directory that an old Apache Kafka wrote. */
  readonly directoryId: string | null
  /** 0 for a directory written by Apache Kafka. */
  readonly odradekVersion: number
}

/** @throws CorruptFileError also for version 0 (`broker.id`, from the days of ZooKeeper) and for one newer than ours */
export function parseMetaProperties(data: Buffer, path: string): MetaProperties {
  const values = parseProperties(data.toString('utf8'))
  const version = values.get('version') ?? '0'
  if (version === '0' && values.has('broker.id')) {
    const how = 'Apache Kafka 3.9 can migrate it to KRaft'
    throw new CorruptFileError(path, `unknown version 0, of a broker with ZooKeeper: ${how}`)
  }
  if (version !== String(VERSION)) throw new CorruptFileError(path, `unknown version ${version}`)
  const clusterId = values.get('cluster.id')
  const nodeId = integer(values.get('node.id'))
  const ours = values.get('odradek.version')
  if (clusterId === undefined || clusterId === '') throw new CorruptFileError(path, 'no cluster.id')
  if (!(nodeId >= 0)) throw new CorruptFileError(path, 'no node.id')
  const odradekVersion = ours === undefined ? 0 : integer(ours)
  if (!(odradekVersion >= 0 && odradekVersion <= OUR_VERSION)) {
    throw new CorruptFileError(path, `odradek.version ${ours} is of a newer Odradek`)
  }
  return { clusterId, nodeId, directoryId: values.get('directory.id') ?? null, odradekVersion }
}

export function formatMetaProperties(properties: {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
}): Buffer {
  const { clusterId, nodeId, directoryId } = properties
  return Buffer.from(
    [
      '#',
      `node.id=${nodeId}`,
      `directory.id=${directoryId}`,
      `version=${VERSION}`,
      `cluster.id=${clusterId}`,
      `odradek.version=${OUR_VERSION}`,
      '',
    ].join('\n'),
  )
}

/** Apache Kafka before 3.7 gave its directories no id. Everything else in the file stays. */
export function addDirectoryId(files: Files, directoryId: string): void {
  const before = files.readAll(names.META_PROPERTIES_FILE).toString('utf8').trimEnd()
  files.writeAtomic(names.META_PROPERTIES_FILE, Buffer.from(`${before}\ndirectory.id=${directoryId}\n`))
}

/** The part of Java's properties format such a file can hold: comments, `=` or `:`, `\` before a character. */
function parseProperties(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:\s]\s*(.*)$/.exec(line)
    if (match !== null) values.set(match[1] ?? '', (match[2] ?? '').replaceAll(/\\(.)/g, '$1').trim())
  }
  return values
}
