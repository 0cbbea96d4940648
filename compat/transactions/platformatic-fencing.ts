// Two producers of one transactional id, then one that takes too long. Arguments: bootstrap, transactional id, topic, a
// time-out in milliseconds. Prints `zombie ERROR` and `late ERROR`, the names of what the two commits ended with.
import { GenericError, Producer } from '@platformatic/kafka'

const [bootstrap = '', transactionalId = '', topic = '', timeoutMs = ''] = process.argv.slice(2)

type Transaction = Awaited<ReturnType<Producer['beginTransaction']>>

async function begin(id: string, timeout: number, value: string): Promise<Transaction> {
  const producer = new Producer({
    clientId: id,
    bootstrapBrokers: [bootstrap],
    retries: 20,
    retryDelay: 50,
    idempotent: true,
    transactionalId: id,
    // What it uses as the time-out of transactions.
    timeout,
    producerId: -1n,
    producerEpoch: -1,
  })
  const transaction = await producer.beginTransaction()
  await transaction.send({ messages: [{ topic, partition: 0, value: Buffer.from(value) }] })
  return transaction
}

/** Kafka's name of an error, at whatever depth. */
function nameOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { apiId } = error as GenericError
  if (typeof apiId === 'string') return apiId
  const deeper: unknown[] = error instanceof AggregateError ? error.errors : []
  return [...deeper, error.cause].map(nameOf).find(name => name !== undefined)
}

const commit = (transaction: Transaction): Promise<string> =>
  transaction.commit().then(
    () => 'no error',
    (error: Error) => nameOf(error) ?? error.message,
  )

const zombie = await begin(transactionalId, 60_000, 'of the zombie')
const heir = await begin(transactionalId, 60_000, 'of the heir')
console.log('zombie', await commit(zombie))
await heir.commit()
const late = await begin(`${transactionalId}-late`, Number(timeoutMs), 'too late')
await new Promise(resolve => setTimeout(resolve, Number(timeoutMs) + 1000))
console.log('late', await commit(late))
process.exit(0)
