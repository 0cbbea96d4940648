// kcat 1.7.1 of Debian, which links librdkafka 2.0.2: Produce up to 7, Fetch up to 11, Metadata up to 4, and a map of
// features that it turns off in silence where version ranges do not fit.
// `npm run compat -- kcat`, or `npx tsx compat/kcat/run.ts [part of a scenario's name…]`
import { Suite } from '../harness/index.ts'
import { featureScenarios } from './features.ts'
import { groupScenarios } from './groups.ts'
import { install } from './kcat.ts'
import { recordScenarios } from './records.ts'
import { restartScenarios } from './restarts.ts'

const suite = new Suite({ 'num.partitions': 1 })
const reason = install()
if (reason === null) {
  featureScenarios(suite)
  recordScenarios(suite)
  groupScenarios(suite)
  restartScenarios(suite)
  await suite.run()
} else {
  suite.skip('all of kcat', reason)
  suite.end()
}
