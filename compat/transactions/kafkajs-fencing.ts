// Two producers of one transactional id, then one that takes too long. Arguments: bootstrap, transactional id, topic, a
// time-out in milliseconds. Prints `zombie ERROR` and `late ERROR`, the names of what the two commits ended with.
import kafkajs, { type Transaction } from 'kafkajs'

const [bootstrap = '', transactionalId = '', topic = '', timeoutMs = ''] = process.argv.slice(2)
const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING })

async function begin(id: string, transactionTimeout: number, value: string): Promise<Transaction> {
  const producer = kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1, transactionTimeout })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ value, partition: 0 }] })
  return transaction
}

const commit = (transaction: Transaction): Promise<string> =>
  transaction.commit().then(
    () => 'no error',
    (error: Error & { type?: string }) => error.type ?? error.message,
  )

const zombie = await begin(transactionalId, 60_000, 'of the zombie')
const heir = await begin(transactionalId, 60_000, 'of the heir')
console.log('zombie', await commit(zombie))
await heir.commit()
const late = await begin(`${transactionalId}-late`, Number(timeoutMs), 'too late')
await new Promise(resolve => setTimeout(resolve, Number(timeoutMs) + 1000))
console.log('late', await commit(late))
process.exit(0)
