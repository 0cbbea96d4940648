// Packs the package as npm would publish it, installs the tarball into an empty folder, and uses it there: the command
// starts, answers ApiVersions and stops; a program imports createBroker and type-checks. Ends with totals.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const work = mkdtempSync(join(tmpdir(), 'odradek-pack-'))
const home = join(work, 'empty')

function must(program, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: 180_000 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}${stderr}`)
  return stdout
}

let tarball
const tests = {
  'npm pack ships dist and the texts, nothing else'() {
    const [{ filename, files }] = JSON.parse(must('npm', ['pack', '--json', '--pack-destination', work], root))
    tarball = join(work, filename)
    const strange = files
      .map(({ path }) => path)
      .filter(path => !/^(?:dist\/|(?:README|CHANGELOG)\.md$|LICENSE$|package\.json$)/.test(path))
    if (strange.length > 0) throw new Error(`it ships ${strange.join(', ')}`)
    for (const wanted of [
      'dist/odradek.cjs',
      'dist/cli.cjs',
      ...['protocol', 'dump', 'verify', 'verify-worker', 'repair'].map(name => `dist/commands/${name}.cjs`),
      'dist/index.js',
      'dist/protocol.js',
      'dist/types/src/index.d.ts',
      'dist/types/protocol/index.d.ts',
      'README.md',
      'LICENSE',
    ]) {
      if (!files.some(({ path }) => path === wanted)) throw new Error(`it lacks ${wanted}`)
    }
  },
  'the tarball installs into an empty folder'() {
    mkdirSync(home)
    writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
    must('npm', ['install', '--no-audit', '--no-fund', tarball], home)
  },
  async 'the command starts, answers ApiVersions and stops'() {
    const child = spawn(join(home, 'node_modules/.bin/odradek'), ['--listen', 'localhost:0'], { cwd: home })
    let [output, errors] = ['', '']
    child.stderr.on('data', chunk => (errors += chunk))
    const ended = new Promise(resolve => child.on('close', (code, signal) => resolve(signal ?? code)))
    const bootstrap = await within(
      20_000,
      'the start',
      () => errors,
      resolve => {
        child.stdout.on('data', chunk => {
          output += chunk
          const found = /"bootstrap":"([^"]+)"/.exec(output)
          if (found !== null) resolve(found[1])
        })
        child.on('close', () => resolve(null))
      },
    )
    try {
      if (bootstrap === null) throw new Error(`it ended: ${output}${errors}`)
      await askApiVersions(bootstrap)
    } finally {
      child.kill('SIGTERM')
    }
    const code = await within(
      20_000,
      'the stop',
      () => output + errors,
      resolve => void ended.then(resolve),
    )
    if (code !== 0) throw new Error(`it ended with ${code}: ${output}${errors}`)
  },
  'createBroker runs in a program, which then ends by itself'() {
    const program = `import { createBroker } from 'odradek'
      const broker = createBroker()
      await broker.listen()
      if (!/:\\d+$/.test(broker.bootstrap)) throw new Error(broker.bootstrap)
      await broker.close()`
    writeFileSync(join(home, 'program.js'), program)
    must(process.execPath, ['program.js'], home)
  },
  'the codec can be imported on its own'() {
    const program = `import { Heartbeat, Produce, Reader, Writer, decode, encode, decodeRequest, encodeRequest } from 'odradek/protocol'
      const writer = new Writer()
      encode(Heartbeat.response, 4, { errorCode: 27 }, writer)
      const { errorCode } = decode(Heartbeat.response, 4, new Reader(writer.toBuffer()))
      const { chunks } = encodeRequest(Produce, 9, 1, 'me', { acks: -1, timeoutMs: 5, topicData: [] })
      const { value } = decodeRequest(Produce, Buffer.concat(chunks).subarray(4))
      if (errorCode !== 27 || value.timeoutMs !== 5) throw new Error(JSON.stringify(value))`
    writeFileSync(join(home, 'codec.js'), program)
    must(process.execPath, ['codec.js'], home)
  },
  'the command prints a layout'() {
    const printed = must(join(home, 'node_modules/.bin/odradek'), ['protocol', 'heartbeat', '0'], home)
    if (!printed.includes('groupId       string')) throw new Error(printed)
  },
  'the command checks, prints and repairs what the broker left'() {
    const odradek = join(home, 'node_modules/.bin/odradek')
    const verified = must(odradek, ['verify', '--threads', '2', 'odradek-data'], home)
    if (!verified.includes(': nothing is wrong')) throw new Error(verified)
    const printed = must(odradek, ['dump', '--decode', 'odradek-data/__cluster_metadata-0'], home)
    if (!printed.includes('FEATURE_LEVEL_RECORD')) throw new Error(printed)
    const repaired = must(odradek, ['repair', '--threads', '2', 'odradek-data'], home)
    if (repaired !== 'Nothing is wrong.\n') throw new Error(repaired)
  },
  'its types check in a nodenext project'() {
    writeFileSync(
      join(home, 'codec.ts'),
      `import { Heartbeat, Reader, decode, type RequestOf } from 'odradek/protocol'
      const request: RequestOf<typeof Heartbeat> = decode(Heartbeat.request, 0, new Reader(new Uint8Array(8)))
      export const memberId: string = request.memberId
      // @ts-expect-error -- there is no such field
      export const nothing = request.nothing\n`,
    )
    writeFileSync(
      join(home, 'program.ts'),
      `import { createBroker } from 'odradek'\nconst broker = createBroker()\nexport const bootstrap: string = broker.bootstrap\n`,
    )
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      strict: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts', 'codec.ts'] }))
    const { bin } = JSON.parse(readFileSync(join(root, 'node_modules/typescript/package.json'), 'utf8'))
    must(process.execPath, [join(root, 'node_modules/typescript', bin.tsc), '-p', home], home)
  },
}

/** Resolves as `start` says, or fails after `ms` with what was printed so far. */
function within(ms, what, printed, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms: ${printed()}`)), ms)
    start(value => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}

/** ApiVersions 0 with correlation id 7: size, key 18, version 0, id, client id null; the answer has error code 0. */
function askApiVersions(bootstrap) {
  const colon = bootstrap.lastIndexOf(':')
  const [host, port] = [bootstrap.slice(0, colon).replace(/^\[|\]$/g, ''), Number(bootstrap.slice(colon + 1))]
  const socket = connect(port, host)
  socket.write(Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]))
  return within(
    10_000,
    'ApiVersions',
    () => '',
    resolve => {
      let answer = Buffer.alloc(0)
      socket.on('data', chunk => {
        answer = Buffer.concat([answer, chunk])
        if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return
        socket.destroy()
        resolve(answer)
      })
      socket.on('error', error => resolve(error))
      socket.on('close', () => resolve(new Error('the connection was closed')))
    },
  ).then(answer => {
    if (answer instanceof Error) throw answer
    if (answer.readInt32BE(4) !== 7 || answer.readInt16BE(8) !== 0)
      throw new Error(`it answered ${answer.toString('hex')}`)
  })
}

let [passed, failed] = [0, 0]
for (const [name, test] of Object.entries(tests)) {
  try {
    await test()
    passed++
    console.log(`ok   ${name}`)
  } catch (error) {
    failed++
    console.log(`FAIL ${name}: ${error.message}`)
  }
}
rmSync(work, { recursive: true, force: true })
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 ? 0 : 1
