/**
 * Producer ids (KIP-730): blocks of 1000 are recorded before any of their ids is given out, so that none is given
 * twice; what is left of a block when the process ends is lost.
 */
import { KafkaError, STALE_BROKER_EPOCH, UNKNOWN_SERVER_ERROR } from '../../protocol/errors.ts'
import type { Decision } from './decision.ts'
import type { MetadataView } from './image.ts'

export const PRODUCER_ID_BLOCK_SIZE = 1000

export interface ProducerIdBlock {
  readonly firstProducerId: number
  readonly size: number
}

/** ProducerIdControlManager. Throws KafkaError: STALE_BROKER_EPOCH, UNKNOWN_SERVER_ERROR when all ids are used up. */
export function allocateProducerIds(
  image: MetadataView,
  brokerId: number,
  brokerEpoch: number,
): Decision<ProducerIdBlock> {
  if (image.broker(brokerId)?.brokerEpoch !== brokerEpoch)
    throw new KafkaError(STALE_BROKER_EPOCH, `Broker ${brokerId} is not registered with epoch ${brokerEpoch}.`)
  const firstProducerId = image.producerIdNext
  const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK_SIZE
  if (nextProducerId > Number.MAX_SAFE_INTEGER) throw new KafkaError(UNKNOWN_SERVER_ERROR, 'All producer ids are used.')
  return {
    records: [{ type: 'ProducerIdsRecord', value: { brokerId, brokerEpoch, nextProducerId } }],
    reply: { firstProducerId, size: PRODUCER_ID_BLOCK_SIZE },
  }
}

/** Gives out the ids of one block after the other; `allocate` resolves when a block is recorded durably. */
export class ProducerIds {
  readonly #allocate: () => Promise<ProducerIdBlock>
  #next = 0
  #end = 0
  #allocating: Promise<void> | null = null

  constructor(allocate: () => Promise<ProducerIdBlock>) {
    this.#allocate = allocate
  }

  /** A producer id that nobody has. Rejects with what `allocate` rejects with; the next call tries again. */
  async next(): Promise<number> {
    while (this.#next >= this.#end) {
      this.#allocating ??= this.#allocateBlock()
      await this.#allocating
    }
    return this.#next++
  }

  async #allocateBlock(): Promise<void> {
    try {
      const { firstProducerId, size } = await this.#allocate()
      this.#next = firstProducerId
      this.#end = firstProducerId + size
    } finally {
      this.#allocating = null
    }
  }
}
