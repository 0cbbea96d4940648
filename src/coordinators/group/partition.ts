// Which partition of __consumer_offsets a group lives in; clients and tools compute it the same way.

/** String.hashCode of Java: over UTF-16 units, in wrapping int32 arithmetic. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** Utils.abs(groupId.hashCode()) % partitions, where abs of the smallest int32 is 0. */
export function partitionForGroup(groupId: string, partitions: number): number {
  const hash = javaHashCode(groupId)
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitions
}
