// Keys of a client metrics subscription (KIP-714).

import { int, list } from '../key.ts'

export const clientMetricsKeys = {
  'interval.ms': int({
    default: 300_000,
    works: true,
    doc: 'How often matching clients push metrics, 100 ms to an hour.',
  }),
  match: list({
    default: [],
    works: true,
    doc: 'Client selectors of the subscription, as name=pattern pairs; none selects every client.',
  }),
  metrics: list({
    default: [],
    works: true,
    doc: 'Prefixes of the metric names that matching clients push; * stands for all.',
  }),
}
