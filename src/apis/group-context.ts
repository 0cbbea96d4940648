// What the group coordinator wants to know of a caller.
import type { GroupContext } from '../coordinators/group/coordinator.ts'
import type { RequestContext } from './handler.ts'

/** The host as Kafka shows it in DescribeGroups: an address with a slash before it. */
export const groupContext = ({ apiVersion, clientId, connection }: RequestContext): GroupContext => ({
  apiVersion,
  clientId,
  clientHost: `/${connection.remoteAddress}`,
})
