// Keys of a client metrics subscription (KIP-714).

import { int, list } from '../key.ts'

export const clientMetricsKeys = {
  'interval.ms': int({ default: 300_000, doc: 'How often matching clients push metrics.' }),
  match: list({ default: [], doc: 'Client selectors of the subscription, as name=pattern pairs.' }),
  metrics: list({ default: [], doc: 'Prefixes of the metric names that matching clients push.' }),
}
