// All scenarios of the tools.
import { apiVersions, cluster, elections, features, logDirs, quorum, reassignments } from './cluster.ts'
import { allConfigs, clientMetrics, configs } from './configs.ts'
import { groupsDescribed, groupsLive, groupsReset } from './groups.ts'
import { console_, deleteRecords, dumpLog, internalTopics, performance_, verifiable } from './records.ts'
import type { ToolScenario } from './scenario.ts'
import { getOffsets, topics } from './topics.ts'
import { transactions } from './transactions.ts'

export const scenarios: readonly ToolScenario[] = [
  topics,
  getOffsets,
  groupsDescribed,
  groupsLive,
  groupsReset,
  configs,
  allConfigs,
  clientMetrics,
  cluster,
  quorum,
  features,
  apiVersions,
  logDirs,
  elections,
  reassignments,
  console_,
  internalTopics,
  performance_,
  verifiable,
  deleteRecords,
  dumpLog,
  transactions,
]
