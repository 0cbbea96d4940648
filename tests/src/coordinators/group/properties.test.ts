// Random lives of a group's members in virtual time: one leader per generation, everybody who lives ends up in the same
// stable generation with its own assignment, no caller is left waiting, and the log alone gives the same state.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hardState, Simulation } from './simulation.ts'

const CLIENTS = 5
const index = fc.nat({ max: CLIENTS - 1 })

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('start' as const), index }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('crash' as const), index }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('leave' as const), index }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('resubscribe' as const), index }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('commit' as const), index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const), index }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 3000 }), fc.nat({ max: 30_000 })),
    }),
  },
)
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

const clients = fc.array(
  fc.record({ instance: fc.boolean(), latencyMs: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 2000 })) }),
  { minLength: CLIENTS, maxLength: CLIENTS },
)

function perform(simulation: Simulation, step: Action): void {
  if (step.type === 'wait') simulation.advance(step.ms)
  else if (step.type === 'restart') simulation.restart()
  else simulation[step.type](step.index)
}

function checkLog({ world }: Simulation): void {
  const live = hardState(world.machine)
  if (live !== null) expect(hardState(world.replica())).toEqual(live)
}

describe('a group whose members come and go', () => {
  it('has one leader per generation, converges, and is what its log says', () => {
    fc.assert(
      fc.property(clients, fc.array(action, { maxLength: 80 }), (options, actions) => {
        const simulation = new Simulation(options)
        for (const step of actions) {
          perform(simulation, step)
          checkLog(simulation)
        }
        // Longer than every timeout, the five minutes of a new member's join included.
        simulation.advance(15 * 60_000)
        const alive = simulation.clients.filter(client => client.alive)
        const group = simulation.world.machine.groups.get('g')
        expect(simulation.open.size).toBe(0)
        expect(new Set(group?.members.keys())).toEqual(new Set(alive.map(client => client.memberId)))
        if (group) expect(group.state).toBe(alive.length > 0 ? 'Stable' : 'Empty')
        for (const client of alive) {
          expect(client).toMatchObject({ stable: true, generation: group?.generationId })
          if (client.instance === null) expect(client.assignment).toBe(`for ${client.memberId}`)
          else expect(client.assignment).toMatch(/^for static/)
        }
        checkLog(simulation)
        for (const [name, offset] of simulation.committed) {
          expect(simulation.world.machine.offsets.get('g', name, 0)?.offset).toBe(offset)
        }
      }),
      { numRuns: 100, seed: 20260101 },
    )
  })
})
