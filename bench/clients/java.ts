// Kafka's own producer, through its performance tool, at its defaults: batches of what came within no time at all.
import { jars } from '../../compat/oracle/kafka.ts'
import { KAFKA } from '../brokers.ts'
import { runProgram } from '../measure.ts'
import { missing, once } from './cache.ts'
import type { Transfer } from './rdkafka.ts'

export const JAVA = `ProducerPerformance of Apache Kafka ${KAFKA}`
export const whyNoJava = once(() => missing(['java', 'mvn']))

/** The first messages warm the client's virtual machine up and are not counted. */
export async function produceByJava(
  address: string,
  topic: string,
  o: { size: number; count: number; warm: number; settings?: readonly string[] },
): Promise<Transfer> {
  const tool = 'org.apache.kafka.tools.ProducerPerformance'
  const counts = ['--num-records', String(o.count + o.warm), '--warmup-records', String(o.warm)]
  const rest = ['--topic', topic, '--record-size', String(o.size), '--throughput', '-1', '--bootstrap-server', address]
  if (o.settings !== undefined) rest.push('--command-property', ...o.settings)
  const { stdout, cpuS } = await runProgram('java', ['-Xmx512m', '-cp', jars(KAFKA), tool, ...counts, ...rest])
  const [, sent, perSecond] =
    [...stdout.matchAll(/^(\d+).* records sent, ([\d.]+) records\/sec .* 99\.9th/gm)].at(-1) ?? []
  if (Number(sent) < o.count) throw new Error(`${tool}: ${stdout.slice(-1000)}`)
  return { messages: o.count + o.warm, seconds: o.count / Number(perSecond), cpuS }
}
