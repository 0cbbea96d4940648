// kafka-consumer-groups and kafka-groups.
import type { Transcript } from '../transcript.ts'
import { filled, runLines, words, type ToolScenario } from './scenario.ts'

const tool = 'kafka-consumer-groups'

/** Reads so many records as a member of the group, which commits. */
const consume = (on: Transcript, group: string, topic: string, count: number): Promise<unknown> =>
  on.quietly(
    'kafka-console-consumer',
    words(`--topic ${topic} --group ${group} --from-beginning --max-messages ${count} --timeout-ms 15000`),
  )

const describing = `
--list
--list --state
--list --state Empty
--list --state Stable,Dead
--list --type
--list --type classic
--list --type consumer
--describe --group idle
--describe --group idle --offsets
--describe --group idle --offsets --verbose
--describe --group idle --members
--describe --group idle --members --verbose
--describe --group idle --state
--describe --group idle --state --verbose
--describe --group missing
--describe --group missing --members
--describe --group missing --state
--describe --group missing --offsets --verbose
~--describe --group idle --group wide
~--describe --all-groups
~--describe --all-groups --state
~--describe --all-groups --members
`

export const groupsDescribed: ToolScenario = {
  name: 'consumer-groups describe',
  async run(on) {
    await on.run(tool, ['--list'])
    await filled(on, 'one', 10)
    await filled(on, 'three', 12, 3)
    await consume(on, 'idle', 'one', 4)
    await consume(on, 'wide', 'three', 12)
    await runLines(on, tool, describing)
    await on.run('kafka-groups', ['--list'], { sorted: true })
    await on.run('kafka-groups', words('--list --group-type classic'), { sorted: true })
    await on.run('kafka-groups', words('--list --consumer'), { sorted: true })
    await on.run('kafka-groups', words('--list --protocol consumer'), { sorted: true })
    await on.run('kafka-groups', words('--list --protocol connect'))
    await on.run('kafka-groups', words('--list --share'))
    await on.run('kafka-groups', words('--list --streams'))
    await on.run('kafka-share-groups', ['--list'])
    await on.run('kafka-streams-groups', ['--list'])
    await on.run(tool, words("--validate-regex 'a.*b'"), { alone: true })
  },
}

const busy = `
--list --state
--list --state stable
--describe --group live
--describe --group live --members
--describe --group live --members --verbose
--describe --group live --state
--describe --group live --verbose
! --delete --group live
! --delete-offsets --group live --topic three
--reset-offsets --group live --all-topics --to-earliest --dry-run
--reset-offsets --group live --all-topics --to-earliest --execute
`

export const groupsLive: ToolScenario = {
  name: 'consumer-groups live',
  async run(on) {
    await filled(on, 'three', 12, 3)
    const first = await on.start(
      'kafka-console-consumer',
      words('--topic three --group live --from-beginning --command-property client.id=first'),
    )
    await on.until(/ Stable +1/, tool, words('--describe --group live --state'))
    const strategy = 'partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor'
    await on.start(
      'kafka-console-consumer',
      words(
        `--topic three --group live --command-property client.id=second --command-property group.instance.id=static --command-property ${strategy}`,
      ),
    )
    await on.until(/ Stable +2/, tool, words('--describe --group live --state'))
    await on.until(/static/, tool, words('--describe --group live --members --verbose'), { sorted: true })
    await on.until(/three +0 +\d+ /, tool, words('--describe --group live'), { sorted: true })
    await runLines(on, tool, busy, { sorted: true })
    await first.stop()
    await on.until(/ Stable +1/, tool, words('--describe --group live --state'))
  },
}

/** Each form as a dry run and, of group `a`, for good. */
const resets = `
--to-earliest
--to-latest
--to-current
--to-offset 3
--to-offset 999
--to-offset -5
--shift-by 2
--shift-by -1
--shift-by -99
--shift-by 99
--to-datetime 2020-01-01T00:00:00.000
--to-datetime 2999-01-01T00:00:00.000
--to-datetime 2999-01-01T00:00:00.000+02:00
--by-duration P7D
--by-duration PT0S
`

const others = `
--reset-offsets --group a --topic one:0,1 --to-earliest --dry-run
--reset-offsets --group a --topic one:0 --to-latest --execute
--reset-offsets --group a --topic three --to-offset 1 --execute
--reset-offsets --group a --topic three:1,2 --to-offset 2 --execute
--reset-offsets --group a --topic missing --to-earliest --dry-run
--reset-offsets --group a --all-topics --to-earliest
--reset-offsets --group fresh --all-topics --to-earliest --dry-run
--reset-offsets --group fresh --topic one --to-offset 2 --execute
--reset-offsets --group a --group fresh --all-topics --to-earliest --dry-run
--reset-offsets --all-groups --all-topics --to-latest --dry-run
--reset-offsets --group a --group fresh --all-topics --to-current --export --dry-run
--reset-offsets --group a --all-topics --to-current --export --dry-run
--describe --group a
--describe --group fresh
`

const deleting = `
--delete-offsets --group a --topic one
--delete-offsets --group a --topic three:0,2
--delete-offsets --group a --topic three:9
--delete-offsets --group a --topic missing
--delete-offsets --group missing --topic one
--describe --group a
--delete --group a
! --delete --group a
! --delete --group missing
--delete --group fresh --group b
! --delete --group c --group missing
--delete --all-groups
--list
`

export const groupsReset: ToolScenario = {
  name: 'consumer-groups reset and delete',
  async run(on) {
    await filled(on, 'one', 10)
    await filled(on, 'three', 12, 3)
    for (const group of ['a', 'b', 'c']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await consume(on, group, 'one', 4)
    }
    await consume(on, 'a', 'three', 12)
    for (const form of resets.trim().split('\n')) {
      const args = words(`--reset-offsets --group a --all-topics ${form}`)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await on.run(tool, [...args, '--dry-run'], { sorted: true })
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await on.run(tool, [...args, '--execute'], { sorted: true })
    }
    await runLines(on, tool, others, { sorted: true })
    const one = on.file('one.csv', 'one,0,5\nthree,1,1\n')
    const several = on.file('several.csv', 'a,one,0,6\nb,one,0,7\n')
    const wrong = on.file('wrong.csv', 'one,0,999\n')
    const from = (groups: string, path: string, how: string): string[] =>
      words(`--reset-offsets ${groups} --from-file ${path} ${how}`)
    await on.run(tool, from('--group a', one, '--dry-run'), { sorted: true })
    await on.run(tool, from('--group a', one, '--execute'), { sorted: true })
    await on.run(tool, from('--group a --group b', several, '--execute'), { sorted: true })
    await on.run(tool, from('--group a', wrong, '--execute'), { sorted: true })
    await on.run(tool, words('--describe --group a'))
    await runLines(on, tool, deleting, { sorted: true })
  },
}
