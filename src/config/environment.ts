// KAFKA_LOG_RETENTION_MS=… as a source of keys, mapped as Apache Kafka's container image does it (KafkaDockerWrapper).

// Settings of the image and of Kafka's shell scripts, which are no broker keys.
const notKeys = new Set([
  'KAFKA_VERSION',
  'KAFKA_HEAP_OPTS',
  'KAFKA_LOG4J_OPTS',
  'KAFKA_OPTS',
  'KAFKA_JMX_OPTS',
  'KAFKA_JMX_PORT',
  'KAFKA_JMX_HOSTNAME',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_LOG4J_ROOT_LOGLEVEL',
  'KAFKA_LOG4J_LOGGERS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
])

export interface EnvironmentEntry {
  readonly variable: string
  readonly key: string
  readonly value: string
}

/** `_` stands for a dot, `__` for an underscore, `___` for a dash. */
export function keyOfVariable(variable: string): string {
  return variable.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.').replaceAll('...', '-').replaceAll('..', '_')
}

/** The keys in an environment, sorted by variable so that messages come in a steady order. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): EnvironmentEntry[] {
  const entries: EnvironmentEntry[] = []
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('KAFKA_') || notKeys.has(variable) || value === undefined) continue
    entries.push({ variable, key: keyOfVariable(variable), value })
  }
  return entries.toSorted((a, b) => (a.variable < b.variable ? -1 : 1))
}
