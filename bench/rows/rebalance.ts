// How long a group of a hundred members stands still when one of them joins again.
import { rebalance } from '../clients/rebalance.ts'
import { spread } from '../report.ts'
import { cpuMs, loopDelays, timeMs, type Row, type Sample, type Scale } from '../row.ts'
import { watched } from '../watched.ts'

const MEMBERS = 100

export function rebalanceRows({ quick }: Scale): Row[] {
  const rounds = quick ? 2 : 20
  return [
    {
      name: `rebalance of ${MEMBERS} members`,
      promise: `classic group, from the JoinGroup of one until all have their assignment; median and most of ${rounds}; no fsync (at our defaults fsynced)`,
      client: 'the benchmark itself, a connection for each member',
      measures: [
        timeMs,
        { key: 'mostMs', unit: 'ms at most', better: 'less' },
        { ...cpuMs, unit: 'broker CPU, ms each' },
        ...loopDelays,
      ],
      defaultsDiffer: true,
      fullOnly: true,
      warmUps: 1,
      async run(_side, start) {
        const broker = await start()
        let sample: Sample | undefined
        await rebalance(broker.address, {
          members: MEMBERS,
          rounds,
          async run(allRounds) {
            const cpu = process.cpuUsage()
            const { value, brokerCpuS, wallS, othersCores, loop } = await watched(broker, allRounds)
            const { user, system } = process.cpuUsage(cpu)
            const { median, max } = spread(value.tookMs)!
            sample = {
              values: { timeMs: median, mostMs: max, cpuMs: (brokerCpuS * 1000) / rounds, ...loop },
              client: { cores: (user + system) / 1e6 / wallS },
              othersCores,
            }
          },
        })
        return sample!
      },
    },
  ]
}
