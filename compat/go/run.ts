// Clients of Go as libraries: franz-go (kgo and kadm), IBM's sarama, and the last sarama of Shopify.
// `npm run compat -- go`, or `npx tsx compat/go/run.ts [part of a scenario's name…]`
//
// The scenarios are Go's; see harness/harness.go. Go's own caches keep what is fetched and compiled.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Suite } from '../harness/index.ts'
import { addProgram } from '../harness/program.ts'

const here = dirname(fileURLToPath(import.meta.url))
const cache = join(process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek'), 'go')

/** Builds one package; its path. Throws with what the compiler says. */
function build(name: string, flags: readonly string[] = []): string {
  const binary = join(cache, name)
  execFileSync('go', ['build', ...flags, '-o', binary, `./${name}`], { cwd: here, encoding: 'utf8', timeout: 300_000 })
  return binary
}

/** The scenarios of sarama laid over the folder of Shopify's, which are the same but for the name of what they import. */
function shopifyOverlay(): string {
  const laid: Record<string, string> = {}
  for (const name of readdirSync(join(here, 'sarama'))) {
    const source = readFileSync(join(here, 'sarama', name), 'utf8')
    laid[join(here, 'shopify', name)] = join(cache, `shopify-${name}`)
    writeFileSync(join(cache, `shopify-${name}`), source.replace('github.com/IBM/sarama', 'github.com/Shopify/sarama'))
  }
  const overlay = join(cache, 'overlay.json')
  writeFileSync(overlay, JSON.stringify({ Replace: laid }))
  return overlay
}

mkdirSync(cache, { recursive: true })
const suite = new Suite({
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 500,
  // Records of long ago must not be deleted by retention while somebody looks for them.
  'log.initial.task.delay.ms': 86_400_000,
})
const programs: readonly { client: string; program: () => string; cannot?: readonly string[] }[] = [
  { client: 'franz-go', program: () => build('franz') },
  { client: 'sarama of IBM', program: () => build('sarama') },
  {
    client: 'sarama of Shopify',
    program: () => build('shopify', ['-overlay', shopifyOverlay()]),
    // With any broker; FINDINGS.md says why.
    cannot: ['kill -9 under load: idempotent', 'a zombie is fenced'],
  },
]
for (const { client, program, cannot } of programs) {
  try {
    addProgram(suite, client, program(), cannot)
  } catch (error) {
    const { message, stderr = '' } = error as Error & { stderr?: string }
    suite.skip(client, `${message} ${stderr}`.trim().replaceAll(/\s+/g, ' ').slice(0, 300))
  }
}
await suite.run()
