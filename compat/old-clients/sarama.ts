// sarama 1.19 (2018), whose default is to speak as to a broker of 0.8.2, and told to speak to later ones.
import { join } from 'node:path'
import { ALL_CODECS, cache, here, output, type OldClient } from './client.ts'

/** `version` is a key of the program's table. lz4 came with 0.10 and groups with 0.10.2 to this client. */
export const sarama = (version: string, hasLz4 = true, groups = true): OldClient => {
  const binary = join(cache('sarama'), 'old-sarama')
  return {
    name: `sarama 1.19.0 as for ${version === 'default' ? '0.8.2, its default' : version}`,
    codecs: hasLz4 ? ALL_CODECS : ALL_CODECS.filter(codec => codec !== 'lz4'),
    groups,
    install: async () =>
      void (await output('go', ['build', '-o', binary, '.'], { cwd: join(here, 'sarama'), ms: 180_000 })),
    produce: (bootstrap, topic, label, codecs) =>
      output(binary, [version, 'produce', bootstrap, topic, label, ...codecs]),
    consume: (bootstrap, topic, group, count) =>
      output(binary, [version, 'consume', bootstrap, topic, group, String(count)]),
  }
}
