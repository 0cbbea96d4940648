// The APIs of one broker: the list of index.ts, with the unstable versions where they are asked for, as its configuration
// narrows it. Each rule takes versions away, never adds any; dispatch, ApiVersions and what is refused all follow from the
// list that is left.
import type { BrokerConfig } from '../config/index.ts'
import type { Handler } from './handler.ts'
import { advertisedRange, apiRange, isRelease, overlap, type Release } from '../config/releases.ts'
import { ApiVersions } from '../../protocol/messages/18-api-versions.ts'
import { apiVersions } from './18-api-versions.ts'
import { apis } from './index.ts'

/** The handler with fewer versions or as it is; undefined: the API is not served at all. */
type Rule = (handler: Handler) => Handler | undefined

type Narrowing = Pick<BrokerConfig, 'odradek.as.version'> &
  Partial<Pick<BrokerConfig, 'odradek.test.max.versions' | 'unstable.api.versions.enable'>>

export function servedApis(config: Narrowing): readonly Handler[] {
  const release = config['odradek.as.version']
  const ceilings = config['odradek.test.max.versions'] ?? ''
  const rules: Rule[] = []
  if (release !== null && isRelease(release)) rules.push(asRelease(release))
  if (ceilings !== '') rules.push(below(ceilings))
  const unstable = config['unstable.api.versions.enable'] === true
  if (rules.length === 0 && !unstable) return apis
  const served: readonly Handler[] = apis
    .map(handler => (unstable ? withUnstable(handler) : handler))
    .map(handler => (handler.api.key === ApiVersions.key ? apiVersions(() => served) : handler))
    .map(handler => rules.reduce<Handler | undefined>((left, rule) => left && rule(left), handler))
    .filter(handler => handler !== undefined)
  return served
}

function withUnstable(handler: Handler): Handler {
  if (handler.unstable === undefined) return handler
  const { versions, advertised, unstable } = handler
  return { ...handler, versions: [versions[0], unstable], advertised: [advertised[0], unstable] }
}

/** What a release serves and we do too. */
const asRelease =
  (release: Release): Rule =>
  handler => {
    const { api } = handler
    const versions = within(handler.versions, apiRange(release, api.name))
    const advertised = within(handler.advertised, advertisedRange(release, api.name))
    return versions && advertised && { ...handler, versions, advertised }
  }

/** No version above those given, as in `0:2,1:3`: API key and highest version. */
function below(text: string): Rule {
  const ceilings = new Map(text.split(',').map(pair => pair.split(':').map(Number) as [key: number, max: number]))
  return handler => {
    const ceiling = ceilings.get(handler.api.key)
    if (ceiling === undefined) return handler
    const versions = within(handler.versions, [0, ceiling])
    const advertised = within(handler.advertised, [0, ceiling])
    return versions && advertised && { ...handler, versions, advertised }
  }
}

const within = (range: Handler['versions'], bounds: Handler['versions'] | undefined): Handler['versions'] | undefined =>
  bounds && overlap(range, bounds)
