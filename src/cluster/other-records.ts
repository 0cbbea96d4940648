/**
 * Records that are kept without being acted on: credentials, access control entries, quotas, tokens, controllers, and
 * whatever a newer Kafka writes. Of what is known the newest state is kept; the rest stands as it stood, in log order.
 */
import { DecodeError, Reader } from '../../protocol/reader.ts'
import { decodeMetadataRecord, type MetadataRecordType } from '../../protocol/state/metadata-record.ts'
import { metadataRecords as all } from '../../protocol/state/metadata-records.ts'
import type { Shape } from '../../protocol/schema.ts'
import type { OtherRecord } from './records.ts'

/** What a record is about, and whether it takes that away. */
interface Subject {
  readonly name: string
  readonly removes: boolean
}

type ReadSubject = (record: OtherRecord) => Subject

const subject = <S extends Shape>(
  type: MetadataRecordType<S>,
  read: (value: ReturnType<typeof decodeMetadataRecord<S>>) => Subject,
): [number, ReadSubject] => [
  type.type,
  ({ version, body }) => read(decodeMetadataRecord(type, { type: type.type, version, reader: new Reader(body) })),
]
const of = (...parts: unknown[]): Subject => ({ name: JSON.stringify(parts), removes: false })
const removal = (...parts: unknown[]): Subject => ({ name: JSON.stringify(parts), removes: true })

const subjects = new Map<number, ReadSubject>([
  subject(all.UserScramCredentialRecord, ({ name, mechanism }) => of('scram', name, mechanism)),
  subject(all.RemoveUserScramCredentialRecord, ({ name, mechanism }) => removal('scram', name, mechanism)),
  subject(all.AccessControlEntryRecord, ({ id }) => of('acl', id)),
  subject(all.RemoveAccessControlEntryRecord, ({ id }) => removal('acl', id)),
  subject(all.DelegationTokenRecord, ({ tokenId }) => of('token', tokenId)),
  subject(all.RemoveDelegationTokenRecord, ({ tokenId }) => removal('token', tokenId)),
  subject(all.RegisterControllerRecord, ({ controllerId }) => of('controller', controllerId)),
  subject(all.UnregisterControllerRecord, ({ controllerId }) => removal('controller', controllerId)),
  subject(all.ZkMigrationStateRecord, () => of('zk')),
  subject(all.ClientQuotaRecord, ({ entity, key, remove }) => {
    const parts = entity.map(({ entityType, entityName }) => JSON.stringify([entityType, entityName])).toSorted()
    return remove ? removal('quota', parts, key) : of('quota', parts, key)
  }),
])

export class OtherRecords {
  /** In log order; by subject, and by number where there is none. */
  #records = new Map<string | number, OtherRecord>()
  #unknown = 0

  list(): readonly OtherRecord[] {
    return [...this.#records.values()]
  }

  clone(): OtherRecords {
    const copy = new OtherRecords()
    copy.#records = new Map(this.#records)
    copy.#unknown = this.#unknown
    return copy
  }

  apply(record: OtherRecord): void {
    const about = subjectOf(record)
    // What takes away something that is not known by name has to stay behind it.
    if (about === null || (about.removes && !this.#records.has(about.name))) {
      this.#records.set(this.#unknown++, record)
      return
    }
    this.#records.delete(about.name)
    if (!about.removes) this.#records.set(about.name, record)
  }
}

/** Null for a type or a version that is not known, and for bytes that do not fit it. */
function subjectOf(record: OtherRecord): Subject | null {
  try {
    return subjects.get(record.key)?.(record) ?? null
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}

/** What each stands for, of those that a user of Kafka counts on. */
const unenforced = new Map<number, string>([
  [all.AccessControlEntryRecord.type, 'access control entries'],
  [all.ClientQuotaRecord.type, 'client quotas'],
  [all.UserScramCredentialRecord.type, 'SCRAM credentials'],
  [all.DelegationTokenRecord.type, 'delegation tokens'],
])

/** One sentence for the log where the metadata hold what is kept for Kafka and not enforced here; null where there is none. */
export function unenforcedWarning(records: readonly OtherRecord[]): string | null {
  const found = new Set(records.flatMap(({ key }) => unenforced.get(key) ?? []))
  return found.size === 0 ? null : `The metadata hold ${[...found].join(', ')}: they are kept and NOT enforced.`
}
