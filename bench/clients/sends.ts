// Sends as fast as they are answered, so many at a time.

/** The first send is for warmth and not timed. Resolves with how long the others took, in seconds. */
export async function timeSends(o: { sends: number; inFlight: number }, send: () => Promise<unknown>): Promise<number> {
  await send()
  let left = o.sends - 1
  const from = performance.now()
  const work = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- one send after the other
    while (left-- > 0) await send()
  }
  await Promise.all(Array.from({ length: o.inFlight }, work))
  return (performance.now() - from) / 1000
}
