// Every scenario, by theme. A new file is added here.
import type { Scenario } from '../scenario.ts'
import { produceScenarios } from './produce.ts'

export const scenarios: readonly Scenario[] = [...produceScenarios]
