// Every case that fuzzing once found stays found: each file here is run again by its target.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { randomOf } from '../fuzz/random.ts'
import { ready } from '../fuzz/records.ts'
import { replay, targets } from '../fuzz/targets.ts'
import { caseFromJson, caseToJson } from '../fuzz/target.ts'
import { bounded } from '../fuzz/measure.ts'

const files = readdirSync(import.meta.dirname).filter(name => name.endsWith('.json'))

test.each(files)('%s', async file => {
  await replay(readFileSync(join(import.meta.dirname, file), 'utf8'))
})

test.each(targets)('a few new cases: $name', async target => {
  await ready()
  for (let index = 0; index < target.share * 20; index++) {
    const one = target.generate(randomOf(7, index))
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as in a run
    await target.run(one, false)
  }
})

test.each(targets)('cases are the same for the same seed, and survive their file: $name', async target => {
  await ready()
  for (let index = 0; index < 10; index++) {
    const one = target.generate(randomOf(3, index))
    expect(target.generate(randomOf(3, index))).toEqual(one)
    expect(caseFromJson(caseToJson(one))).toEqual(one)
  }
})

test('what is slow is told', () => {
  const spin = (): void => {
    for (const end = performance.now() + 60; performance.now() < end;);
  }
  expect(() => bounded({ input: 10 }, spin, false)).toThrow(/ms for 10 bytes/)
})

test('a file of no target is refused', async () => {
  await expect(replay('{"target":"nothing"}')).rejects.toThrow('there is no target "nothing"')
})
