// Broker keys of metrics.

import { int, list, long, string } from '../key.ts'

export const metricsKeys = {
  'kafka.metrics.polling.interval.secs': int({
    default: 10,
    min: 1,
    doc: 'Polling interval of the Yammer metrics reporters.',
  }),
  'kafka.metrics.reporters': list({ default: [], doc: 'Java classes that report Yammer metrics.' }),
  'metric.reporters': list({
    default: ['org.apache.kafka.common.metrics.JmxReporter'],
    update: 'cluster',
    doc: 'Java classes that report metrics.',
  }),
  'metrics.num.samples': int({ default: 2, min: 1, doc: 'Samples kept for each metric.' }),
  'metrics.recording.level': string({ default: 'INFO', doc: 'Lowest level of metrics that is recorded.' }),
  'metrics.sample.window.ms': long({ default: 30_000, min: 1, doc: 'Length of one metric sample.' }),
}
