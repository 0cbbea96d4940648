// Every scenario, by theme. A new file is added here.
import type { Scenario } from '../scenario.ts'
import { alterConfigScenarios } from './alter-configs.ts'
import { aclScenarios } from './acls.ts'
import { clusterAdminScenarios } from './cluster-admin.ts'
import { compactionScenarios } from './compaction.ts'
import { configScenarios } from './configs.ts'
import { featureScenarios } from './features.ts'
import { fetchScenarios } from './fetch.ts'
import { fetchSessionScenarios } from './fetch-sessions.ts'
import { framingScenarios } from './framing.ts'
import { groupAdminScenarios } from './group-admin.ts'
import { idempotenceScenarios } from './idempotence.ts'
import { loggerScenarios } from './loggers.ts'
import { lifecycleScenarios } from './lifecycle.ts'
import { listOffsetsScenarios } from './list-offsets.ts'
import { logDirScenarios } from './log-dirs.ts'
import { logStartScenarios } from './log-starts.ts'
import { membershipScenarios } from './membership.ts'
import { metadataScenarios } from './metadata.ts'
import { offsetDeleteScenarios } from './offset-delete.ts'
import { offsetScenarios } from './offsets.ts'
import { otherConfigScenarios } from './other-configs.ts'
import { produceScenarios } from './produce.ts'
import { recordedVoterScenarios } from './recorded-voters.ts'
import { refusedScenarios } from './refused.ts'
import { telemetryScenarios } from './telemetry.ts'
import { throttleScenarios } from './throttles.ts'
import { topicScenarios } from './topics.ts'
import { transactionScenarios } from './transactions.ts'

export const scenarios: readonly Scenario[] = [
  ...produceScenarios,
  ...idempotenceScenarios,
  ...fetchScenarios,
  ...fetchSessionScenarios,
  ...listOffsetsScenarios,
  ...logStartScenarios,
  ...metadataScenarios,
  ...offsetScenarios,
  ...offsetDeleteScenarios,
  ...membershipScenarios,
  ...groupAdminScenarios,
  ...topicScenarios,
  ...configScenarios,
  ...alterConfigScenarios,
  ...otherConfigScenarios,
  ...loggerScenarios,
  ...clusterAdminScenarios,
  ...featureScenarios,
  ...telemetryScenarios,
  ...aclScenarios,
  ...framingScenarios,
  ...transactionScenarios,
  ...lifecycleScenarios,
  ...compactionScenarios,
  ...refusedScenarios,
  ...throttleScenarios,
  ...recordedVoterScenarios,
  ...logDirScenarios,
]
