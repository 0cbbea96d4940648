// How a configuration key is declared: one entry named as Kafka names it, with its type, default, range, documentation
// and update mode. Types of values are inferred, so that config['log.retention.bytes'] is a number for the compiler.

export type KeyType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password'

/** Where a topic key finds its default: a broker key and the factor from its unit to ours. */
export interface BrokerSynonym {
  readonly key: string
  readonly factor: number
}

interface Facts<D> {
  /** Kafka's own default; ours may differ, see defaults.ts. */
  readonly default: D
  /** One sentence of our own. */
  readonly doc: string
  readonly min?: number
  readonly max?: number
  /** One value outside the range that is allowed as well. */
  readonly or?: number
  /** The only values allowed; for a list, its only elements. */
  readonly values?: readonly string[]
  readonly ignoreCase?: boolean
  /** Values that Kafka knows and this version does not serve yet: refused, never ignored. */
  readonly notYet?: readonly string[]
  readonly pattern?: Pattern
  readonly nonEmpty?: boolean
  /** Not listed by DescribeConfigs unless it is set. */
  readonly internal?: boolean
  /** How Kafka lets it change: at a restart (the default), for one broker, or for the whole cluster. */
  readonly update?: 'broker' | 'cluster'
  /** Cannot be set in a file, only by a request. */
  readonly dynamicOnly?: boolean
  /** Kafka has no default and does not start without a value. */
  readonly kafkaRequires?: boolean
  /** Topic keys: the broker keys that give the default; the first one set wins. A group key whose broker key has another name. */
  readonly broker?: readonly BrokerSynonym[]
  /** It does something in this version. */
  readonly works?: boolean
}

/** A text form that no range describes. */
export interface Pattern {
  readonly matches: RegExp
  readonly describe: string
}

export interface Key<T> extends Omit<Facts<T>, 'update'> {
  readonly type: KeyType
  readonly update: 'restart' | 'broker' | 'cluster'
  readonly effect: 'works' | 'none'
  /** Its value is never shown. */
  readonly secret: boolean
}

// Declared keys differ in T, which stands in `default` alone: a Key<number> is a Key<unknown>.
export type Keys = Readonly<Record<string, Key<unknown>>>
/** The typed record of a set of keys. */
export type Values<K> = { readonly [P in keyof K]: K[P] extends Key<infer T> ? T : never }

/** Java's largest int. */
export const INT_MAX = 2_147_483_647
/** Java's largest long, 2^63-1, held as the double 2^63; printed as Kafka prints it. */
export const LONG_MAX = 2 ** 63

const declare =
  <T>(type: KeyType) =>
  <D extends T | null>(facts: Facts<D>): Key<D extends null ? T | null : T> => ({
    ...facts,
    type,
    // D is a literal of T, or null where the key may be unset.
    default: facts.default as unknown as D extends null ? T | null : T,
    update: facts.update ?? 'restart',
    effect: facts.works === true ? 'works' : 'none',
    secret: type === 'password',
  })

// Each returns the key for its facts; `default: null` makes the key nullable.
export const boolean = declare<boolean>('boolean')
export const string = declare<string>('string')
export const int = declare<number>('int')
export const short = declare<number>('short')
/** A 64-bit integer, held as a number: exact within 2^53, and 2^63-1 as LONG_MAX. */
export const long = declare<number>('long')
export const double = declare<number>('double')
export const list = declare<readonly string[]>('list')
/** The name of a Java class; kept as text, never loaded. */
export const className = declare<string>('class')
/** A secret text: never shown, never logged. */
export const password = declare<string>('password')

/** A string that is one of `values`. */
export const oneOf = <const V extends string>(
  values: readonly V[],
  facts: Omit<Facts<NoInfer<V>>, 'values'>,
): Key<V> => ({
  ...facts,
  values,
  type: 'string',
  update: facts.update ?? 'restart',
  effect: facts.works === true ? 'works' : 'none',
  secret: false,
})

export const same = (key: string): BrokerSynonym => ({ key, factor: 1 })
export const minutes = (key: string): BrokerSynonym => ({ key, factor: 60_000 })
export const hours = (key: string): BrokerSynonym => ({ key, factor: 3_600_000 })

/** Kafka: ThrottledReplicaListValidator. */
export const THROTTLED_REPLICAS: Pattern = {
  matches: /^(?:\*|(?:\s*\d+:\d+\s*)(?:,\s*\d+:\d+\s*)*)?$/,
  describe: '* or partition:broker pairs such as 0:1,1:2',
}
/** Kafka: ShareGroupAutoOffsetResetStrategy. */
export const OFFSET_RESET: Pattern = {
  matches: /^(?:earliest|latest|by_duration:P(?=[\dT])(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?)$/,
  describe: 'earliest, latest or by_duration:PnDTnHnMn.nS',
}
