// A few schedules of the transaction simulation with every run of the tests; `npm run sim` explores more of them.
import { expect, test } from 'vitest'
import { explore } from './transactions-schedules.ts'

test('whatever happens, transactions are atomic, complete and seen once', async () => {
  const { crashes } = await explore({ seed: 20_260, runs: 25 })
  expect(crashes).toBeGreaterThan(25)
}, 85_000)

test('a client whose next request finds its broker dead', async () => {
  const { crashes } = await explore({ seed: 88_129, runs: 10 })
  expect(crashes).toBeGreaterThan(10)
}, 60_000)
