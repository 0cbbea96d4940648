// KafkaJS 2.2.4, which speaks the old, not flexible encodings: Produce 3-7, Fetch 4-11, JoinGroup 0-5 and so on.
// `npm run compat -- kafkajs`, or `npx tsx compat/kafkajs/run.ts [part of a scenario's name…]`
import { Suite } from '../harness/index.ts'
import { adminScenarios } from './admin.ts'
import { plugInCodecs } from './codecs.ts'
import { groupScenarios } from './groups.ts'
import { recordScenarios } from './records.ts'
import { restartScenarios } from './restarts.ts'

await plugInCodecs()
const suite = new Suite()
recordScenarios(suite)
groupScenarios(suite)
adminScenarios(suite)
restartScenarios(suite)
await suite.run()
