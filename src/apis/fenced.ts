// Clients before KIP-588 do not know PRODUCER_FENCED.
import { INVALID_PRODUCER_EPOCH, PRODUCER_FENCED } from '../../protocol/errors.ts'

/** The code as the version knows it; `since`: the version of the API that brought PRODUCER_FENCED. */
export const fencedFor = (errorCode: number, apiVersion: number, since: number): number =>
  errorCode === PRODUCER_FENCED && apiVersion < since ? INVALID_PRODUCER_EPOCH : errorCode
