// Apache Kafka's own Java clients and command-line tools.
// `npm run compat -- java`, or `npx tsx compat/java/run.ts [part of a scenario's name…]`;
// `npx tsx compat/java/run.ts --record [part of a tool's name…]` renews what the tools print against Apache Kafka.
import { Suite } from '../harness/index.ts'
import { addClients } from './clients.ts'
import { addTools, record } from './tools/judge.ts'
import { missing } from './tools/runner.ts'

const args = process.argv.slice(2)
const suite = new Suite()
const reason = missing()
if (reason !== null) {
  suite.skip('all of Java', reason)
  suite.end()
} else if (args[0] === '--record') await record(args.slice(1))
else {
  const close = addTools(suite, args.length === 0)
  addClients(suite)
  await suite.run()
  close()
}
