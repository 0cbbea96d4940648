/**
 * `.kafka_cleanshutdown`: written last by an orderly stop and removed first by a start (CleanShutdownFileHandler.java), so
 * that while it exists every byte of the directory is on disk. JSON: {"version":0,"brokerEpoch":n} (KIP-966).
 */

/** @returns the broker epoch of the last run, -1 when the file does not tell it (its presence alone counts) */
export function parseCleanShutdown(data: Buffer): number {
  let content: unknown
  try {
    content = JSON.parse(data.toString('utf8'))
  } catch (error) {
    // Kafka before 3.8 left the file empty.
    if (error instanceof SyntaxError) return -1
    throw error
  }
  const epoch = (content as { brokerEpoch?: unknown } | null)?.brokerEpoch
  return Number.isSafeInteger(epoch) ? (epoch as number) : -1
}

export function formatCleanShutdown(brokerEpoch: number): Buffer {
  return Buffer.from(JSON.stringify({ version: 0, brokerEpoch }))
}
