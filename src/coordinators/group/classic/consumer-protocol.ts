// The topics inside a consumer's subscription bytes. Every version begins like version 0 and is read as that, as Kafka's
// coordinator does, so that it depends on no later one.
import { decode } from '../../../../protocol/compile.ts'
import { DecodeError, Reader } from '../../../../protocol/reader.ts'
import { ConsumerProtocolSubscription } from '../../../../protocol/state/consumer-protocol.ts'

/** Null if the bytes are no subscription: other clients may put anything there, and the group works all the same. */
export function decodeSubscribedTopics(metadata: Buffer): readonly string[] | null {
  try {
    const reader = new Reader(metadata)
    if (reader.int16() < 0) return null
    return decode(ConsumerProtocolSubscription, 0, reader).topics
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}
