// A consumer that comes late: a log of which nothing is in the page cache, read from its beginning.
import { spawnSync } from 'node:child_process'
import { closeSync, fsyncSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missing, once } from '../clients/cache.ts'
import type { Row, Scale } from '../row.ts'
import { common, consumeRow } from './rates.ts'

const SIZE = 1024
const COUNT = 4_000_000

export function coldRows({ quick }: Scale): Row[] {
  const count = quick ? COUNT / 20 : COUNT
  const row = consumeRow(SIZE, '1 KiB', { count }, async (broker, topic, run) => {
    dropFromCache(join(broker.data, `${topic}-0`))
    const before = bytesRead(broker.pid)
    const sample = await run()
    return { ...sample, values: { ...sample.values, diskGb: (bytesRead(broker.pid) - before) / 1e9 } }
  })
  return [
    {
      ...row,
      name: 'consume 1 KiB, not in the page cache',
      promise: `1 partition, ${((count * SIZE) / 1e9).toFixed(1)} GB, all of whose pages were dropped before`,
      measures: [...row.measures, { key: 'diskGb', unit: 'GB that the broker read from the disk', better: 'less' }],
      fullOnly: true,
      why: () => common.why() ?? whyNotDropped(),
    },
  ]
}

/** Of a process, from devices: what was in the page cache does not count. */
const bytesRead = (pid: number | 'self'): number =>
  Number(/^read_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1])

/** Asks the system to forget the pages of all files of a folder (posix_fadvise, by way of dd), which anyone may. */
function dropFromCache(folder: string): void {
  // Pages that are not on the disk yet stay.
  spawnSync('sync')
  for (const name of readdirSync(folder)) {
    const { status, stderr } = spawnSync('dd', [`if=${join(folder, name)}`, 'iflag=nocache', 'count=0'])
    if (status !== 0) throw new Error(`dd: ${String(stderr)}`)
  }
}

/** Some file systems keep everything in memory. */
const whyNotDropped = once(() => {
  const gone = missing(['dd', 'sync'])
  if (gone !== null) return gone
  const folder = mkdtempSync(join(tmpdir(), 'odradek-bench-cache-'))
  try {
    const file = join(folder, 'probe')
    writeFileSync(file, Buffer.alloc(8 << 20, 1))
    const handle = openSync(file, 'r+')
    fsyncSync(handle)
    closeSync(handle)
    dropFromCache(folder)
    const before = bytesRead('self')
    const { length } = readFileSync(file)
    return bytesRead('self') - before >= length / 2 ? null : `pages of ${tmpdir()} cannot be dropped from the cache`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
