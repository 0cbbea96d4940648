// Transcripts of the transaction machine: commands (lines that begin with ">") and what they lead to below each. `wait`
// lets time pass, `reload` restarts the broker, `written` is the answer of the partitions' leaders. A producer uses the
// id and epoch it was given last unless `pid=` and `epoch=` say otherwise; a new producer id is fetched when asked for.
import { expect, it } from 'vitest'
import { errorOf, KafkaError, NONE } from '../../../../protocol/errors.ts'
import type { StoredRecord } from '../../../../src/coordinators/machine.ts'
import type {
  ListedTransaction,
  ProducerReply,
  TransactionCommand,
  TransactionConfig,
  TransactionReply,
  TransactionSend,
} from '../../../../src/coordinators/transaction/commands.ts'
import type { LastingState, TopicPartition, Transaction } from '../../../../src/coordinators/transaction/state.ts'
import { NEEDS_PRODUCER_ID } from '../../../../src/coordinators/transaction/commands.ts'
import { TransactionMachine } from '../../../../src/coordinators/transaction/machine.ts'
import { namesOf } from '../../../../src/coordinators/transaction/records.ts'
import { recordingLogger } from '../../../../src/runtime/index.ts'

export const defaultConfig: TransactionConfig = {
  'transaction.max.timeout.ms': 900_000,
  'transactional.id.expiration.ms': 604_800_000,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 10_000,
  'transaction.remove.expired.transaction.cleanup.interval.ms': 3_600_000,
  'request.timeout.ms': 30_000,
}

export interface WorldOptions {
  /** The cluster's transaction.version; 2 unless given. */
  readonly version?: number
  readonly config?: Partial<TransactionConfig>
}

const MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function duration(text: string): number {
  const [, number, unit = 'ms'] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (number === undefined) throw new Error(`no duration: ${text}`)
  return Number(number) * MS[unit]!
}

const partition = (text: string): TopicPartition => {
  const at = text.lastIndexOf('-')
  return { topic: text.slice(0, at), partition: Number(text.slice(at + 1)) }
}
const partitions = (text: string): TopicPartition[] => text.split(',').filter(Boolean).map(partition)
const showPartitions = (list: readonly TopicPartition[]): string =>
  `[${list.map(p => `${p.topic}-${p.partition}`).join(' ')}]`

export const showTransaction = (txn: Transaction): string => {
  const next = txn.nextProducerId === -1 ? '' : ` next ${txn.nextProducerId}`
  return `${txn.state} ${txn.producerId}/${txn.producerEpoch}${next} [${namesOf(txn)}]`
}

class Script {
  readonly #version: number
  readonly #config: TransactionConfig
  readonly #log: StoredRecord[] = []
  readonly #out: string[] = []
  readonly #tickets: { who: string; command: TransactionCommand }[] = []
  readonly #producers = new Map<string, { pid: number; epoch: number }>()
  #timers = new Map<string, { at: number; command: TransactionCommand }>()
  #machine: TransactionMachine
  #now = 1_700_000_000_000
  #nextProducerId = 1000
  #sent: Extract<TransactionSend, { type: 'writeMarkers' }> | null = null

  constructor({ version = 2, config = {} }: WorldOptions) {
    this.#version = version
    this.#config = { ...defaultConfig, ...config }
    this.#machine = this.#load()
  }

  run(line: string): string[] {
    this.#out.length = 0
    const words = line.split(/\s+/)
    const named = new Map(words.filter(w => w.includes('=')).map(w => [w.split('=')[0]!, w.split('=')[1]!] as const))
    const positional = words.filter(w => !w.includes('='))
    this.#execute(positional, name => named.get(name))
    return [...this.#out]
  }

  #execute([verb = '', who = '', ...rest]: string[], get: (name: string) => string | undefined): void {
    const transactionalId = get('id') ?? 'x'
    const producer = this.#producers.get(who) ?? { pid: -1, epoch: -1 }
    const producerId = Number(get('pid') ?? producer.pid)
    const producerEpoch = Number(get('epoch') ?? producer.epoch)
    const clientTransactionVersion = Number(get('tv') ?? this.#version)
    const identity = { transactionalId, producerId, producerEpoch }
    switch (verb) {
      case 'wait':
        return this.#advance(duration(who))
      case 'reload':
        this.#machine = this.#load()
        return
      case 'state':
        for (const [id, txn] of this.#machine.transactions) this.#print(`${id}: ${showTransaction(txn)}`)
        return
      case 'written': {
        const sent = this.#sent!
        const failed = partitions(get('failed') ?? '')
        const written = who === 'all' ? sent.partitions : partitions(who)
        const { producerId: pid, producerEpoch: epoch } = sent
        const reported = { producerId: pid, producerEpoch: epoch, transactionalId: sent.transactionalId }
        return this.#submit('', { type: 'markersWritten', ...reported, written, failed })
      }
      case 'init': {
        const expected = get('pid') === undefined && get('again') === undefined ? null : { producerId, producerEpoch }
        const timeoutMs = duration(get('timeout') ?? '60s')
        return this.#submit(who, { type: 'init', transactionalId, timeoutMs, expected, newProducerId: null })
      }
      case 'add':
        return this.#submit(who, {
          type: 'add',
          ...identity,
          partitions: rest.map(partition),
          clientTransactionVersion,
        })
      case 'verify':
        return this.#submit(who, { type: 'verify', ...identity, partitions: rest.map(partition) })
      case 'commit':
      case 'abort': {
        const commit = verb === 'commit'
        return this.#submit(who, { type: 'end', ...identity, commit, clientTransactionVersion, newProducerId: null })
      }
      case 'epoch':
        return this.#exhaust(transactionalId, Number(who))
      case 'describe':
        return this.#submit(who, { type: 'describe', transactionalId })
      case 'list': {
        const pattern = get('matches')
        return this.#submit(who, {
          type: 'list',
          states: (get('states')?.split(',') as LastingState[] | undefined) ?? null,
          producerIds: (get('pids') ?? '').split(',').filter(Boolean).map(Number),
          durationMs: get('longer') === undefined ? -1 : duration(get('longer')!),
          matches: pattern === undefined ? null : id => id.startsWith(pattern),
        })
      }
      default:
        throw new Error(`unknown command: ${verb}`)
    }
  }

  #print(line: string): void {
    this.#out.push(`  ${line}`)
  }

  #submit(who: string, command: TransactionCommand): void {
    const ticket = who === '' ? -1 : this.#tickets.push({ who, command }) - 1
    try {
      this.#apply(this.#machine.decide(command, ticket, this.#now))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#print(`${who}: ${errorOf(error.code).name}`)
    }
  }

  #apply(effects: ReturnType<TransactionMachine['decide']>): void {
    for (const record of effects.records) {
      const entry = this.#machine.encode(record)
      if (entry) {
        const shown = record.value ? showTransaction(record.value) : 'forgotten'
        this.#print(`log: ${record.transactionalId} ${shown}`)
        this.#store(entry)
      }
      this.#machine.replay(record)
    }
    for (const timer of effects.timers ?? []) {
      if (timer.at === null) this.#timers.delete(timer.key)
      else this.#timers.set(timer.key, { at: timer.at, command: timer.command })
    }
    for (const [ticket, reply] of effects.replies) this.#reply(ticket, reply)
    for (const message of (effects.sends ?? []) as TransactionSend[]) this.#send(message)
  }

  #store(entry: Pick<StoredRecord, 'key' | 'value'>): void {
    const offset = this.#log.length
    this.#log.push({ ...entry, offset, producerId: -1, isTransactional: false, marker: null })
  }

  #send(message: TransactionSend): void {
    if (message.type === 'fetchProducerId') {
      return this.#submit('', { ...message.command, newProducerId: this.#nextProducerId++ })
    }
    this.#sent = message
    const { commit, producerId, producerEpoch, transactionVersion, partitions: to } = message
    const what = commit ? 'commit' : 'abort'
    this.#print(`send: ${what} ${producerId}/${producerEpoch} version ${transactionVersion} ${showPartitions(to)}`)
  }

  #reply(ticket: number, reply: TransactionReply): void {
    const { who, command } = this.#tickets[ticket]!
    if (reply === NEEDS_PRODUCER_ID) {
      if (command.type !== 'init' && command.type !== 'end') throw new Error('nobody may ask for an id here')
      return this.#submit(who, { ...command, newProducerId: this.#nextProducerId++ })
    }
    for (const line of this.#show(who, command, reply)) this.#print(`${who}: ${line}`)
  }

  #show(who: string, command: TransactionCommand, reply: TransactionReply): string[] {
    switch (command.type) {
      case 'init':
      case 'end': {
        const { errorCode, producerId, producerEpoch } = reply as ProducerReply
        if (errorCode !== NONE || producerId === -1) return [errorOf(errorCode).name]
        this.#producers.set(who, { pid: producerId, epoch: producerEpoch })
        return [`${producerId}/${producerEpoch}`]
      }
      case 'verify':
        return [(reply as number[]).map(code => errorOf(code).name).join(' ')]
      case 'describe':
        return [showTransaction(reply as Transaction)]
      case 'list':
        return (reply as ListedTransaction[]).map(t => `${t.transactionalId} ${t.producerId} ${t.transactionState}`)
      case 'add':
      case 'markersWritten':
      case 'findTimedOut':
      case 'timeout':
      case 'expire':
      case 'sendMarkers':
        return ['NONE']
    }
  }

  /** Puts a record with this epoch into the log: 32,000 transactions later. */
  #exhaust(transactionalId: string, producerEpoch: number): void {
    const value = { ...this.#machine.transactions.get(transactionalId)!, producerEpoch }
    this.#store(this.#machine.encode({ kind: 'transaction', transactionalId, value })!)
    this.#machine = this.#load()
    for (const [who, { pid }] of this.#producers) this.#producers.set(who, { pid, epoch: producerEpoch })
  }

  #advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0]
      if (!due) break
      this.#timers.delete(due[0])
      this.#now = Math.max(this.#now, due[1].at)
      this.#submit('', due[1].command)
    }
    this.#now = end
  }

  #load(): TransactionMachine {
    const version = () => this.#version
    this.#machine = new TransactionMachine({ config: this.#config, log: recordingLogger([]), version })
    for (const stored of this.#log) {
      const record = this.#machine.decode(stored)
      if (record) this.#machine.replay(record)
    }
    this.#timers = new Map()
    this.#apply(this.#machine.loaded(this.#now))
    return this.#machine
  }
}

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)

/** Runs the commands of the transcript and compares all of it. */
export function scenario(name: string, text: string, options: WorldOptions = {}): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller gives it
  it(name, () => {
    const script = new Script(options)
    const commands = lines(text).filter(line => line.startsWith('>'))
    const actual = commands.flatMap(line => [line, ...script.run(line.slice(1).trim())])
    expect(actual.map(line => line.trim()).join('\n')).toBe(lines(text).join('\n'))
  })
}
