// rskafka, a client in Rust that knows Fetch 4 and Produce 3 to 7 and no groups.
// `npm run compat -- rust`, or `npx tsx compat/rust/run.ts [part of a scenario's name…]`
//
// The scenarios are Rust's; see src/harness.rs. What Cargo compiles stays in the cache folder, outside the checkout.
import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Suite } from '../harness/index.ts'
import { addProgram } from '../harness/program.ts'

const here = dirname(fileURLToPath(import.meta.url))
const target = join(process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek'), 'rust')
// Records of long ago must not be deleted by retention while somebody looks for them.
const suite = new Suite({ 'log.initial.task.delay.ms': 86_400_000 })
const { status, error, stderr } = spawnSync('cargo', ['build', '--quiet', '--locked', '--target-dir', target], {
  cwd: here,
  encoding: 'utf8',
  timeout: 600_000,
})
if (status === 0) {
  addProgram(suite, 'rskafka', join(target, 'debug/rskafka'))
  await suite.run()
} else {
  suite.skip('rskafka', (error?.message ?? stderr).trim().replaceAll(/\s+/g, ' ').slice(0, 300))
  suite.end()
}
