// kcat (librdkafka) told not to ask for versions and to speak as to an old broker. Its message sets are librdkafka's own:
// relative offsets in wrappers, lz4 with the checksum of its time.
import { spawn } from 'node:child_process'
import { ALL_CODECS, output, type OldClient } from './client.ts'
import { recordsOf } from './records.ts'

export const kcat = (version: string): OldClient => {
  const common = ['-X', 'api.version.request=false', '-X', `broker.version.fallback=${version}`]
  return {
    name: `kcat as for ${version}`,
    codecs: ALL_CODECS,
    // Its group consumer prints as other records come, not to a count; it goes by the partition here.
    groups: false,
    install: async () => void (await output('kcat', ['-V'])),
    async produce(bootstrap, topic, label, codecs) {
      for (const codec of codecs) {
        const lines = recordsOf(label, [codec]).map(({ key, value }) => `${key ?? ''}\t${value ?? ''}\n`)
        const args = ['-P', '-b', bootstrap, '-t', topic, '-p', '0', '-z', codec, '-Z', '-K', '\t', ...common]
        // oxlint-disable-next-line no-await-in-loop -- the order is part of what is expected
        await feed(args, lines.join(''))
      }
    },
    async consume(bootstrap, topic, _group, count) {
      const args = ['-C', '-b', bootstrap, '-t', topic, '-p', '0', '-o', 'beginning', '-c', String(count), '-q', '-Z']
      const printed = await output('kcat', [...args, '-f', '%o\t%k\t%s\n', ...common])
      return printed.replaceAll(/(?<=\t)NULL(?=[\t\n])/g, '\\N')
    },
  }
}

/** Runs kcat with this input; rejects unless it exits with 0. */
function feed(args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', args, { stdio: ['pipe', 'ignore', 'pipe'], timeout: 30_000 })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk))
    child.once('error', reject)
    child.once('close', code => (code === 0 ? resolve() : reject(new Error(`kcat ended with ${code}: ${complaint}`))))
    child.stdin.end(input)
  })
}
