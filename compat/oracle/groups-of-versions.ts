// Which versions of an API have the same layout: an exchange counts once for each such group.
import type { Api } from '../../protocol/api.ts'
import type { Shape } from '../../protocol/schema.ts'

/** The first version of the group that this version belongs to. */
export function versionGroup(api: Api, version: number): number {
  let first = version
  while (first > api.versions[0] && !changes(api, first)) first--
  return first
}

/** Whether the layout of this version differs from the one before. */
function changes(api: Api, version: number): boolean {
  return version === api.flexible || [api.request.shape, api.response.shape].some(shape => shapeChanges(shape, version))
}

function shapeChanges(shape: Shape, version: number): boolean {
  return Object.values(shape).some(({ spec }) => {
    if (spec.since === version || spec.until === version - 1 || spec.nullSince === version) return true
    const inner = spec.fields ?? spec.of?.spec.fields
    return inner !== undefined && inner !== null && shapeChanges(inner, version)
  })
}
