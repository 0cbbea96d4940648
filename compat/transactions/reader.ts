// Everything in a topic as read_committed means it, read as the Java consumer reads it (CompletedFetch.java): clients have
// faults of their own, and this is what the scenarios are judged by.
import { Fetch } from '../../protocol/messages/index.ts'
import * as batch from '../../protocol/records/batch.ts'
import { decodeRecords } from '../../protocol/records/record.ts'
import { open, type Wire } from '../harness/wire.ts'

export interface Read {
  readonly key: string
  readonly value: string
}

export async function readCommitted(bootstrap: string, topic: string, partitions: number): Promise<Read[]> {
  const wire = await open(bootstrap)
  try {
    const records: Read[] = []
    for (let partition = 0; partition < partitions; partition++) {
      // oxlint-disable-next-line no-await-in-loop -- one partition after the other
      records.push(...(await readPartition(wire, topic, partition)))
    }
    return records
  } finally {
    wire.close()
  }
}

async function readPartition(wire: Wire, topic: string, partition: number): Promise<Read[]> {
  const records: Read[] = []
  let offset = 0
  for (;;) {
    const asked = { partition, fetchOffset: offset, partitionMaxBytes: 1 << 20 }
    // oxlint-disable-next-line no-await-in-loop -- each fetch begins where the one before ended
    const reply = await wire.request(Fetch, 11, {
      maxWaitMs: 0,
      minBytes: 1,
      isolationLevel: 1,
      topics: [{ topic, partitions: [asked] }],
      forgottenTopicsData: [],
    })
    const found = reply.responses[0]?.partitions[0]
    if (found?.errorCode !== 0) throw new Error(`Fetch of ${topic}-${partition}: error ${found?.errorCode}`)
    const bytes = Buffer.concat(found.records?.parts ?? [])
    if (bytes.length === 0) return records
    const aborted = (found.abortedTransactions ?? []).toSorted((a, b) => a.firstOffset - b.firstOffset)
    const skipped = new Set<number>()
    for (const at of batch.batchesOf(bytes)) {
      const producerId = batch.producerId(bytes, at)
      while (aborted.length > 0 && aborted[0]!.firstOffset <= batch.lastOffset(bytes, at)) {
        skipped.add(aborted.shift()!.producerId)
      }
      offset = batch.lastOffset(bytes, at) + 1
      if (batch.isControl(bytes, at)) skipped.delete(producerId)
      else if (!batch.isTransactional(bytes, at) || !skipped.has(producerId)) {
        records.push(...decodeRecords(bytes, at).map(({ key, value }) => ({ key: String(key), value: String(value) })))
      }
    }
  }
}
