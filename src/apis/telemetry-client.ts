// Who is at the other end, for client telemetry.
import type { TelemetryClient } from '../observe/client-telemetry.ts'
import type { RequestContext } from './handler.ts'

export const telemetryClient = ({ connection, clientId }: RequestContext): TelemetryClient => ({
  connectionId: connection.id,
  clientId,
  softwareName: connection.softwareName,
  softwareVersion: connection.softwareVersion,
  address: connection.remoteAddress,
  port: connection.remotePort,
  onClose: fn => void connection.onClose(fn),
})
