// What the exchanges must cover: every API at least three refusals, every error code that Kafka can answer shown or excused.
import { describe, expect, test } from 'vitest'
import { errorOf } from '../../protocol/errors.ts'
import { entries } from '../../protocol/error-codes.ts'
import {
  coverage,
  page,
  possibleOf,
  reasonOf,
  served,
  unjudgedVersions,
  writtenPage,
} from '../../compat/oracle/coverage.ts'
import { notShown, notShownOf, possibleErrors } from '../../compat/oracle/possible-errors.ts'

const found = coverage()
/** Nobody can be asked about these. */
const ofNewest = served
  .filter(({ api, versions: [min, max] }) => {
    const all = Array.from({ length: max - min + 1 }, (_, i) => min + i)
    return unjudgedVersions().includes(`${api.name} ${all.join(', ')}`)
  })
  .map(({ api }) => api.name)

describe('exchanges', () => {
  test('there are at least three refusals for each API', () => {
    const few = found.filter(({ api, refused }) => refused < 3 && !ofNewest.includes(api))
    expect(few.map(({ api, refused }) => `${api} ${refused}`)).toEqual([])
  })

  test('the APIs that nobody can be asked about are named', () => {
    expect(ofNewest).toEqual(['UnregisterController'])
  })
})

describe('error codes', () => {
  const shownOf = new Map(found.map(({ api, shown }) => [api, shown]))

  test('every API that is served has its list, of codes that exist', () => {
    expect(served.map(({ api }) => api.name).filter(name => possibleOf(name).length === 0)).toEqual([])
    const names = new Set([...entries.keys()].map(code => errorOf(code).name))
    const unknown = Object.entries(possibleErrors).flatMap(([api, codes]) =>
      codes
        .split(' ')
        .filter(code => !names.has(code) || codes.split(' ').filter(of => of === code).length > 1)
        .map(code => `${api} ${code}`),
    )
    expect(unknown).toEqual([])
  })

  test('each is shown, or says why not', () => {
    const missing = found.flatMap(({ api, shown }) =>
      possibleOf(api)
        .filter(code => !shown.has(code) && reasonOf(api, code) === undefined)
        .map(code => `${api} ${code}`),
    )
    expect(missing).toEqual([])
  })

  test('what an exchange shows is possible', () => {
    const impossible = found.flatMap(({ api, shown }) =>
      [...shown]
        .filter(([code]) => code !== 'UNKNOWN_SERVER_ERROR' && !possibleOf(api).includes(code))
        .map(([code, by]) => `${api} ${code}: ${by}`),
    )
    expect(impossible).toEqual([])
  })

  test('no reason is left over', () => {
    const used = new Set<string>()
    for (const { api, shown } of found)
      for (const code of possibleOf(api))
        if (!shown.has(code)) used.add(`${api} ${code}` in notShownOf ? `${api} ${code}` : code)
    expect([...Object.keys(notShown), ...Object.keys(notShownOf)].filter(key => !used.has(key))).toEqual([])
    expect(shownOf.size).toBe(served.length)
  })
})

test('compat/oracle/coverage.md is up to date: npm run oracle -- --coverage', () => {
  expect(writtenPage()).toBe(page())
})
