// kafka-python 2.0.2, the last release of its old line, told to speak to brokers of other times.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ALL_CODECS, cache, here, output, type OldClient } from './client.ts'

const PACKAGES = ['kafka-python==2.0.2', 'python-snappy==0.7.3', 'lz4==4.4.5', 'xxhash==4.1.0']

export const kafkaPython = (version: string): OldClient => {
  const folder = cache('python')
  const python = join(folder, 'bin/python')
  const program = (args: readonly string[]) => output(python, [join(here, 'python/old_client.py'), version, ...args])
  return {
    name: `kafka-python 2.0.2 as for ${version}`,
    codecs: ALL_CODECS,
    groups: true,
    async install() {
      if (!existsSync(python)) await output('python3', ['-m', 'venv', folder], { ms: 60_000 })
      const imports = ['-c', 'import kafka, snappy, lz4, xxhash; assert kafka.__version__ == "2.0.2"']
      await output(python, imports).catch(() =>
        output(python, ['-m', 'pip', 'install', '-q', ...PACKAGES], { ms: 120_000 }),
      )
    },
    produce: (bootstrap, topic, label, codecs) => program(['produce', bootstrap, topic, label, ...codecs]),
    consume: (bootstrap, topic, group, count) => program(['consume', bootstrap, topic, group, String(count)]),
  }
}
