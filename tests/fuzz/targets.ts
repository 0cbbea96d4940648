// All targets, and the choice of one by chance.
import { connections } from './connections.ts'
import { frames, kept, messages } from './messages.ts'
import type { Random } from './random.ts'
import { codecs, ready, records } from './records.ts'
import { caseFromJson, type Target } from './target.ts'

// A target only ever runs cases that it made, or that a file says it made.
export const targets = [messages, frames, kept, records, codecs, connections] as unknown as readonly Target[]

const total = targets.reduce((sum, { share }) => sum + share, 0)

export function chooseTarget(random: Random): Target {
  let rest = random.below(total)
  return targets.find(({ share }) => (rest -= share) < 0)!
}

/** Runs what a file under tests/regressions holds. Rejects where a property does not hold. */
export async function replay(text: string): Promise<void> {
  const { target: name, ...one } = caseFromJson(text)
  const target = targets.find(known => known.name === name)
  if (!target) throw new Error(`there is no target ${JSON.stringify(name)}`)
  await ready()
  await target.run(one, typeof (globalThis as { gc?: unknown }).gc === 'function')
}
