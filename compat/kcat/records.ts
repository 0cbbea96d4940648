// Producing and reading back: codecs that really compress, acks, kinds of records, offsets of every kind, errors.
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { batchesOnDisk, eventually, prose, range, type Suite } from '../harness/index.ts'
import { kcat, kcatEnds, lines, parse, read, start, topic } from './kcat.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export function recordScenarios(suite: Suite): void {
  for (const codec of codecs) {
    for (const acks of ['0', '1', 'all']) {
      suite.scenario(`${codec}, acks=${acks}: keys, headers, nulls, a megabyte`, async context => {
        const name = await topic(context, codec)
        const options = ['-z', codec, '-X', `acks=${acks}`, '-X', 'linger.ms=50']
        const repeated = range(0, 200).map(i => `k${i}\t${i} ${String(prose(200))}`)
        await kcat(
          context,
          ['-P', '-t', name, '-K', '\t', '-H', 'who=odradek', '-H', 'empty=', ...options],
          lines(repeated),
        )
        await kcat(context, ['-P', '-t', name, '-Z', '-K', '\t', ...options], 'tombstone\t\n')
        const big = String(prose(990_000))
        await kcat(context, ['-P', '-t', name, ...options], `${big}\n`)
        const seen = await read(context, name)
        deepEqual(
          seen.slice(0, 200).map(({ key, payload }) => `${key}\t${payload}`),
          repeated,
        )
        deepEqual(seen[0]?.headers, ['who', 'odradek', 'empty', ''])
        deepEqual([seen[200]?.key, seen[200]?.payload], ['tombstone', null])
        deepEqual([seen[201]?.key, seen[201]?.payload?.length], [null, 990_000])
        equal(seen[201]?.payload, big)
        deepEqual(
          seen.map(({ offset }) => offset),
          range(0, 202),
        )
        const batches = await batchesOnDisk(context.broker, name)
        if (!batches) return
        // A batch that would not get smaller is sent as it is, so only the large ones count.
        const large = batches.filter(({ count, sizeInBytes }) => count > 10 || sizeInBytes > 10_000)
        notEqual(large.length, 0)
        deepEqual([...new Set(large.map(batch => batch.codec))], [codec])
        const bytes = batches.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
        ok(codec === 'none' ? bytes > 1_000_000 : bytes < 200_000, `${bytes} bytes in ${codec}`)
      })
    }
  }

  suite.scenario('an idempotent producer', async context => {
    const name = await topic(context, 'idempotent')
    const values = range(0, 2000)
    await kcat(
      context,
      ['-P', '-t', name, '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=50'],
      lines(values),
    )
    deepEqual(
      (await read(context, name)).map(({ payload }) => Number(payload)),
      values,
    )
    const batches = await batchesOnDisk(context.broker, name)
    if (batches) ok(batches.every(({ producerId }) => producerId >= 0))
  })

  suite.scenario('consume from an offset, from the end, from the middle of a batch', async context => {
    const name = await topic(context, 'offsets')
    await kcat(context, ['-P', '-t', name, '-z', 'gzip', '-X', 'linger.ms=100'], lines(range(0, 100)))
    const from = async (offset: string, ...more: string[]) => {
      const { stdout } = await kcat(context, ['-C', '-t', name, '-p', '0', '-o', offset, '-e', '-q', '-J', ...more])
      return parse(stdout).map(record => record.offset)
    }
    deepEqual(await from('57'), range(57, 100))
    deepEqual(await from('-3'), [97, 98, 99])
    deepEqual(await from('beginning', '-c', '2'), [0, 1])
    deepEqual(await from('end'), [])
  })

  suite.scenario('-Q and -o s@ find offsets by time', async context => {
    const name = await topic(context, 'times')
    for (const value of ['a', 'b', 'c']) {
      await kcat(context, ['-P', '-t', name], `${value}\n`)
    }
    const seen = await read(context, name)
    equal(seen[0]?.tstype, 'create')
    const query = async (time: number) => (await kcat(context, ['-Q', '-t', `${name}:0:${time}`])).stdout.trim()
    equal(await query((seen[0]?.ts ?? 0) - 1000), `${name} [0] offset 0`)
    equal(await query(seen[1]!.ts), `${name} [0] offset 1`)
    equal(await query(seen[2]!.ts + 1), `${name} [0] offset -1`)
    equal(await query(-1), `${name} [0] offset 3`)
    equal(await query(-2), `${name} [0] offset 0`)
    const { stdout } = await kcat(context, ['-C', '-t', name, '-p', '0', '-o', `s@${seen[1]!.ts}`, '-e', '-q', '-J'])
    deepEqual(
      parse(stdout).map(({ payload }) => payload),
      ['b', 'c'],
    )
  })

  suite.scenario('a consumer at the end gets records as they come', async context => {
    const name = await topic(context, 'tail')
    const reader = start(context, [
      '-C',
      '-t',
      name,
      '-p',
      '0',
      '-o',
      'beginning',
      '-q',
      '-u',
      '-X',
      'fetch.wait.max.ms=5000',
    ])
    for (const value of [1, 2, 3]) {
      await kcat(context, ['-P', '-t', name], `${value}\n`)
      const started = performance.now()
      await reader.count(value)
      const waited = performance.now() - started
      ok(waited < 2000, `the record took ${waited} ms`)
    }
    await reader.stop()
  })

  suite.scenario(
    'records spread over fifty partitions',
    async context => {
      const name = await topic(context, 'wide')
      await kcat(context, ['-P', '-t', name, '-K', ':'], lines(range(0, 1000).map(i => `k${i}:${i}`)))
      const seen = await read(context, name)
      deepEqual(
        seen.map(({ payload }) => Number(payload)).toSorted((a, b) => a - b),
        range(0, 1000),
      )
      ok(new Set(seen.map(({ partition }) => partition)).size > 40)
    },
    { own: { 'num.partitions': 50 } },
  )

  suite.scenario('a topic is made by the first record sent to it', async context => {
    const name = context.name('first')
    await kcat(context, ['-P', '-t', name], 'hello\n')
    deepEqual(
      (await read(context, name)).map(({ payload }) => payload),
      ['hello'],
    )
  })

  suite.scenario('errors: unknown topic, illegal name, too large a record', async context => {
    const unknown = await kcatEnds(context, [
      '-C',
      '-t',
      context.name('unknown'),
      '-e',
      '-X',
      'allow.auto.create.topics=false',
      '-X',
      'topic.metadata.propagation.max.ms=0',
    ])
    notEqual(unknown.code, 0)
    ok(/Unknown topic or partition/i.test(unknown.stderr), unknown.stderr)
    const illegal = await kcatEnds(context, ['-L', '-t', 'not legal!'])
    ok(/Invalid topic/i.test(illegal.stdout + illegal.stderr), illegal.stdout + illegal.stderr)
    const name = await topic(context, 'small')
    const tooLarge = await kcatEnds(
      context,
      ['-P', '-t', name, '-X', 'message.max.bytes=3000000', '-D', '\\0'],
      `${'x'.repeat(1_500_000)}\0`,
    )
    ok(/Message size too large/i.test(tooLarge.stderr), tooLarge.stderr)
  })

  suite.scenario('a transactional producer commits', async context => {
    const name = await topic(context, 'tx')
    await kcat(context, ['-P', '-t', name, '-X', `transactional.id=${name}`], 'x\n')
    deepEqual(
      (await read(context, name)).map(({ payload }) => payload),
      ['x'],
    )
  })

  suite.scenario('a long line of clients, one after the other', async context => {
    const name = await topic(context, 'line')
    for (const i of range(0, 15)) await kcat(context, ['-P', '-t', name], `${i}\n`)
    await eventually('fifteen records', async () => (await read(context, name)).length === 15)
  })
}
