// Rules that involve more than one value: combinations that cannot be, and settings that must not be ignored silently.

import type { BrokerKeyName, BrokerValues } from './keys.ts'
import { ConfigError } from './values.ts'

/** @throws ConfigError */
export function checkValues(values: BrokerValues, set: ReadonlyMap<BrokerKeyName, unknown>): void {
  refuseUnserved(values)
  const rollMs = values['log.roll.ms'] ?? 1
  if (rollMs < 1) throw new ConfigError(`log.roll.ms must be at least 1, but it is '${rollMs}'.`)
  const jitterMs = values['log.roll.jitter.ms'] ?? 0
  if (jitterMs < 0) throw new ConfigError(`log.roll.jitter.ms must be at least 0, but it is '${jitterMs}'.`)
  const retention = (['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'] as const).find(
    name => values[name] !== null,
  )
  if (retention !== undefined && values[retention] === 0) {
    throw new ConfigError(`${retention} must be at least 1, or -1 to keep segments for ever, but it is '0'.`)
  }
  const [least, most] = [values['group.min.session.timeout.ms'], values['group.max.session.timeout.ms']]
  if (least > most) {
    throw new ConfigError(
      `group.min.session.timeout.ms (${least}) must not be above group.max.session.timeout.ms (${most}).`,
    )
  }
  if (set.has('log.dirs') && values['log.dirs']?.length === 0) {
    throw new ConfigError('log.dirs must name at least one directory.')
  }
  const codec = values['offsets.topic.compression.codec']
  // CompressionType.forId
  if (codec < 0 || codec > 4) {
    throw new ConfigError(`offsets.topic.compression.codec must be between 0 and 4, but it is '${codec}'.`)
  }
  checkCordoned(values)
}

/** KafkaConfig.validateCordonedLogDirs. */
function checkCordoned(values: BrokerValues): void {
  const cordoned = values['cordoned.log.dirs']
  const known = values['log.dirs'] ?? values['log.dir']
  if (cordoned.includes('*')) {
    if (cordoned.length > 1) throw new ConfigError('cordoned.log.dirs is * for all directories, or names some of them.')
    return
  }
  const unknown = cordoned.find(name => !known.includes(name))
  if (unknown !== undefined)
    throw new ConfigError(`cordoned.log.dirs names ${unknown}, which is not one of log.dirs (${known.join(', ')}).`)
}

/** What the file asks for to make the broker safer, or to make it something else, is never dropped without a word. */
function refuseUnserved(values: BrokerValues): void {
  if (values['authorizer.class.name'] !== '') {
    throw new ConfigError(
      'authorizer.class.name is set, but this version of Odradek has no access control yet; remove it to let every client do everything.',
    )
  }
  if (values['config.providers'].length > 0) {
    throw new ConfigError('config.providers is not supported; write the values themselves and remove it.')
  }
  if (!values['process.roles'].includes('broker')) {
    throw new ConfigError(
      `process.roles is '${values['process.roles'].join(',')}', but Odradek is always a broker with its controller inside; add broker or remove the key.`,
    )
  }
}

/**
 * max.connections.per.ip.overrides: address to count.
 * @throws ConfigError
 */
export function connectionLimits(text: string): Map<string, number> {
  const limits = new Map<string, number>()
  for (const pair of text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')) {
    const colon = pair.lastIndexOf(':')
    const [host, count] = [pair.slice(0, colon).trim(), Number(pair.slice(colon + 1))]
    if (!Number.isInteger(count) || count < 0 || !/^(?:localhost|[\d.]+|\[?[\da-fA-F:]+\]?)$/.test(host)) {
      throw new ConfigError(`max.connections.per.ip.overrides must be address:count pairs, but one is '${pair}'.`)
    }
    const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host.replaceAll(/[[\]]/g, '').toLowerCase()]
    for (const address of addresses) limits.set(address, count)
  }
  return limits
}
