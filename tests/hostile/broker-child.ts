// A broker in a process of its own, so that its memory can be measured; started by child.ts with an IPC channel.
import { createBroker } from '../../src/index.ts'
import { recordingLogger, type LogLine } from '../../src/runtime/index.ts'

const lines: LogLine[] = []
const broker = createBroker({
  listen: '127.0.0.1:0',
  logger: recordingLogger(lines),
  config: JSON.parse(process.argv[2] ?? '{}') as Record<string, string>,
})
await broker.listen()
process.on('message', () => void figures())

async function figures(): Promise<void> {
  // Memory goes back to the system over several collections.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { rss } = process.memoryUsage()
  process.send?.({
    rssMb: Math.round(rss / 2 ** 20),
    peakMb: Math.round(process.resourceUsage().maxRSS / 2 ** 10),
    pools: broker.metrics().memory.pools,
    errors: lines.filter(({ level }) => level === 'error').map(line => JSON.stringify(line, plain)),
  })
}
process.on('disconnect', () => process.exit(0))
process.send?.({ port: Number(broker.bootstrap.split(':').at(-1)) })

function plain(_: string, value: unknown): unknown {
  return value instanceof Error ? value.stack : value
}
