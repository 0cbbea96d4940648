// @platformatic/kafka 1.35.0, the last that runs on Node 20. It speaks flexible versions only: Produce 7-11, Fetch 12-17
// with topic ids, JoinGroup 6-9 and so on.
// `npm run compat -- platformatic`, or `npx tsx compat/platformatic/run.ts [part of a scenario's name…]`
import { Suite } from '../harness/index.ts'
import { adminScenarios } from './admin.ts'
import { plugInZstd } from './client.ts'
import { groupScenarios } from './groups.ts'
import { recordScenarios } from './records.ts'
import { restartScenarios } from './restarts.ts'

await plugInZstd()
const suite = new Suite()
recordScenarios(suite)
groupScenarios(suite)
adminScenarios(suite)
restartScenarios(suite)
await suite.run()
