// The loggers of this broker as a resource (KIP-412): their levels are told by DescribeConfigs and changed by
// IncrementalAlterConfigs, until a restart. Kafka: RuntimeLoggerManager.java, ConfigHelper.scala.
import type { Refusal } from '../cluster/decision.ts'
import type { DescribedConfig } from '../config/index.ts'
import type { LogLevels } from '../runtime/levels.ts'
import { INVALID_CONFIG, INVALID_REQUEST, KafkaError, NONE } from '../../protocol/errors.ts'
import { ConfigOperation } from '../cluster/alter-configs.ts'
import { refuse } from '../cluster/decision.ts'
import { ConfigSource } from '../config/index.ts'
import { isLevelName, levelNames, ROOT } from '../runtime/levels.ts'

/** ConfigResource.Type.BROKER_LOGGER */
export const BROKER_LOGGER = 8

interface Change {
  readonly name: string
  readonly configOperation: number
  readonly value: string | null
}

/** Throws INVALID_REQUEST unless the resource is this broker. `names`: null asks for all. */
export function describeLoggers(
  levels: LogLevels,
  nodeId: number,
  resourceName: string,
  names: readonly string[] | null,
): DescribedConfig[] {
  if (resourceName === '') throw new KafkaError(INVALID_REQUEST, 'The id of a broker must not be empty.')
  const fault = idFault(resourceName, nodeId)
  if (fault !== null) throw new KafkaError(INVALID_REQUEST, fault)
  return levels.names
    .filter(name => names === null || names.includes(name))
    .map(name => ({
      name,
      value: levels.of(name),
      readOnly: false,
      isDefault: false,
      configSource: ConfigSource.DYNAMIC_BROKER_LOGGER,
      isSensitive: false,
      synonyms: [],
      configType: 0,
      documentation: '',
    }))
}

/** Changes levels, all or none; the answer is ready at once. */
export function alterLoggers(
  levels: LogLevels,
  nodeId: number,
  { resourceName, configs }: { readonly resourceName: string; readonly configs: readonly Change[] },
  validateOnly: boolean,
): Refusal {
  const fault = idFault(resourceName, nodeId)
  if (fault !== null) return refuse(INVALID_REQUEST, fault)
  for (const change of configs) {
    const refusal = refuseChange(levels, change)
    if (refusal !== null) return refusal
  }
  if (!validateOnly) {
    for (const { name, configOperation, value } of configs) {
      if (configOperation === ConfigOperation.SET && isLevelName(value)) levels.set(name, value)
      else levels.unset(name)
    }
  }
  return { errorCode: NONE, errorMessage: null }
}

function refuseChange(levels: LogLevels, { name, configOperation, value }: Change): Refusal | null {
  if (configOperation !== ConfigOperation.SET && configOperation !== ConfigOperation.DELETE)
    return refuse(INVALID_REQUEST, `Levels of loggers are set or deleted; there is no operation ${configOperation}.`)
  if (!levels.has(name)) return refuse(INVALID_CONFIG, `There is no logger ${name}.`)
  if (configOperation === ConfigOperation.DELETE)
    return name === ROOT ? refuse(INVALID_REQUEST, `The level of ${ROOT} cannot be removed.`) : null
  return isLevelName(value)
    ? null
    : refuse(INVALID_CONFIG, `The level of ${name} cannot be ${value}; levels are ${levelNames.join(', ')}.`)
}

function idFault(resourceName: string, nodeId: number): string | null {
  if (!/^[+-]?\d+$/.test(resourceName)) return `A broker id must be a number: ${resourceName}.`
  return Number(resourceName) === nodeId
    ? null
    : `Unexpected broker id, expected ${nodeId} but received ${resourceName}`
}
