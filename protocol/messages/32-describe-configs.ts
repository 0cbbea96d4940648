// DescribeConfigs shows configurations of topics, brokers, groups and others (KIP-133).
// v1: source and synonyms instead of a flag for defaults (KIP-226), v3: types and documentation (KIP-569). v0 is
// gone in Kafka 4.0. The flag's field exists in v0 alone.
import { api } from '../api.ts'
import { array, bool, int16, int32, int8, nullable, since, string, until } from '../schema.ts'

export const DescribeConfigs = api(32, 'DescribeConfigs', {
  versions: [0, 4],
  flexible: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      /** Null: all. */
      configurationKeys: nullable.array(string),
    }),
    includeSynonyms: since(1).bool.or(false),
    includeDocumentation: since(3).bool.or(false),
  },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({
      errorCode: int16,
      errorMessage: nullable.string,
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: nullable.string,
        readOnly: bool,
        /** Replaced by configSource. */
        isDefault: until(0).bool,
        configSource: since(1).ignorable.int8.or(-1),
        isSensitive: bool,
        synonyms: since(1).ignorable.array({
          name: string,
          value: nullable.string,
          source: int8,
        }),
        configType: since(3).ignorable.int8.or(0),
        documentation: since(3).nullable.ignorable.string,
      }),
    }),
  },
})
