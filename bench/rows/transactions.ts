// Commits per second: transactions of one record, by 1, 10 and 100 transactional producers.
import { randomUUID } from 'node:crypto'
import { commitTransactions, TRANSACTIONS, whyNoTransactions } from '../clients/transactions.ts'
import { cpuEach, loopDelays, p50, p99, type Measure, type Row, type Scale } from '../row.ts'
import { createTopic, deleteTopic } from '../topics.ts'
import { watched } from '../watched.ts'

const commits: Measure = { key: 'rate', unit: 'commits/s', better: 'more' }

export function transactionRows({ quick }: Scale): Row[] {
  // The client's virtual machine is fresh in every run, on both sides.
  const [warmMs, runMs] = quick ? [1500, 1500] : [4000, 4000]
  return [1, 10, 100].map((producers): Row => ({
    name: `transactions, ${producers} producer${producers === 1 ? '' : 's'}`,
    promise: 'one record of 100 B in each, 6 partitions, no fsync (at our defaults fsynced)',
    client: TRANSACTIONS,
    measures: [commits, p50, p99, cpuEach, ...loopDelays],
    defaultsDiffer: true,
    fullOnly: true,
    warmUps: 1,
    why: whyNoTransactions,
    async run(_side, start) {
      const broker = await start()
      const topic = `transactions-${randomUUID()}`
      await createTopic(broker.address, topic, 6)
      const o = { producers, bytes: 100, warmMs, runMs }
      const run = await watched(broker, () => commitTransactions(broker.address, topic, o))
      await deleteTopic(broker, topic)
      const { perSecond, p50Ms, p99Ms, total, busyCores } = run.value
      const cpuUs = (run.brokerCpuS / total) * 1e6
      return {
        values: { rate: perSecond, p50Ms, p99Ms, cpuUs, ...run.loop },
        client: { cores: busyCores, perCore: perSecond / busyCores },
        othersCores: run.othersCores,
      }
    },
  }))
}
