// The command line without a process: what it prints, how it ends, what a broker is started with.

import { describe, expect, test } from 'vitest'
import { textLogger } from '../../../src/cli/logger.ts'
import type { Host, RunningBroker } from '../../../src/cli/main.ts'
import { run } from '../../../src/cli/main.ts'
import type { BrokerConfig } from '../../../src/config/index.ts'
import type { LogLine } from '../../../src/runtime/log.ts'
import { recordingLogger } from '../../../src/runtime/log.ts'

interface Setup {
  terminal?: boolean
  environment?: Record<string, string>
  files?: Record<string, string>
  listen?: () => Promise<void>
  close?: () => Promise<void>
}

/** A host that records; `signal` sends one. */
function hostOf({ terminal = true, environment = {}, files = {}, ...broker }: Setup = {}) {
  const seen = {
    out: '',
    err: '',
    exits: [] as number[],
    started: [] as { config: BrokerConfig; memory: boolean }[],
    lines: [] as LogLine[],
    signal: (() => undefined) as (signal: 'SIGINT' | 'SIGTERM') => void,
  }
  const host: Host = {
    environment,
    terminal,
    out: text => void (seen.out += text),
    err: text => void (seen.err += text),
    drained: () => Promise.resolve(),
    errTerminal: terminal,
    now: () => 0,
    readText: path => {
      if (Object.hasOwn(files, path)) return files[path]!
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    },
    readInput: () => Promise.resolve(files['-'] ?? ''),
    createBroker: ({ config, memory }): RunningBroker => {
      seen.started.push({ config, memory })
      return {
        bootstrap: 'localhost:9092',
        listen: broker.listen ?? (() => Promise.resolve()),
        close: broker.close ?? (() => Promise.resolve()),
      }
    },
    jsonLogger: () => Promise.resolve(recordingLogger(seen.lines)),
    onSignal: stop => void (seen.signal = stop),
    exit: code => void seen.exits.push(code),
  }
  return { host, seen }
}

describe('start', () => {
  test('on a terminal it says where it is, where data is, how to stop, and what a port mapping needs', async () => {
    const { host, seen } = hostOf()
    await run([], host)
    expect(seen.out).toMatch(/ready/)
    expect(seen.out).toMatch(/localhost:9092/)
    expect(seen.out).toMatch(/odradek-data/)
    expect(seen.out).toMatch(/Ctrl-C/)
    expect(seen.out).toMatch(/--advertise host:port/)
    expect([seen.err, seen.exits]).toEqual(['', []])
  })

  test('elsewhere it writes log lines only', async () => {
    const { host, seen } = hostOf({ terminal: false, environment: { KAFKA_FOO: '1' } })
    await run(['start', '--advertise', 'broker:1'], host)
    expect(seen.out).toBe('')
    expect(seen.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'KAFKA_FOO: the key foo is unknown and has no effect.'],
      ['info', 'Odradek is ready'],
    ])
  })

  test('flags, environment and file reach the broker', async () => {
    const { host, seen } = hostOf({
      files: { 'my.properties': 'num.partitions=2\nlog.dirs=/x\nmessage.max.bytes=9' },
      environment: { KAFKA_NUM_PARTITIONS: '3' },
    })
    await run(
      [
        '--config',
        'my.properties',
        '--set',
        'message.max.bytes=10',
        '--set',
        'broker.rack=a=b',
        '--listen',
        'localhost:1',
        '--as-version',
        '4.1',
        '--memory',
      ],
      host,
    )
    const { config, memory } = seen.started[0]!
    expect(config).toMatchObject({
      'num.partitions': 3,
      'message.max.bytes': 10,
      'broker.rack': 'a=b',
      'odradek.as.version': '4.1',
      logDirs: ['/x'],
    })
    expect(config.endpoints[0]).toMatchObject({ host: 'localhost', port: 1 })
    expect(memory).toBe(true)
  })
})

describe('refusals: one sentence, exit code 1, nothing started', () => {
  test.each([
    [
      ['--frobnicate'],
      'odradek: There is no flag --frobnicate; odradek --help lists them, and --set key=value sets any key.\n',
    ],
    [['-x'], 'odradek: There is no flag -x; odradek --help lists them, and --set key=value sets any key.\n'],
    [['frob'], "odradek: There is no command 'frob'; odradek --help shows what there is.\n"],
    [['--listen'], 'odradek: --listen needs a value.\n'],
    [['--memory=yes'], 'odradek: --memory takes no value.\n'],
    [['--set', 'abc'], "odradek: --set must be key=value, but it is 'abc'.\n"],
    [['--set', 'a.b=c'], 'odradek: --set a.b: there is no such key. docs/config.md lists every key.\n'],
    [
      ['--log-level', 'loud'],
      "odradek: --log-level must be one of debug, info, warn, error, silent, but it is 'loud'.\n",
    ],
    [['--as-version', '2.8'], "odradek: --as-version must be one of 3.9, 4.0, 4.1, 4.2, 4.3, 4.4, but it is '2.8'.\n"],
    [['--config', 'gone'], 'odradek: --config gone cannot be read: there is no such file.\n'],
    [['--memory', '--data-dir', '/x'], 'odradek: Give either --memory or --data-dir, not both.\n'],
  ])('%j', async (args, message) => {
    const { host, seen } = hostOf()
    await run(args, host)
    expect([seen.err, seen.exits, seen.started, seen.out]).toEqual([message, [1], [], ''])
  })

  test('a start that fails says why, in the first line of the error', async () => {
    const { host, seen } = hostOf({
      listen: () => Promise.reject(new Error('The port is in use: choose another.\nmore')),
    })
    await run([], host)
    expect([seen.err, seen.exits, seen.out]).toEqual(['odradek: The port is in use: choose another.\n', [1], ''])
  })
})

describe('signals', () => {
  /** A promise with its handles. */
  const pending = () => {
    let resolve!: () => void
    let reject!: (error: Error) => void
    const promise = new Promise<void>((yes, no) => {
      resolve = yes
      reject = no
    })
    return { promise, resolve, reject }
  }
  const settled = () => new Promise(resolve => setImmediate(resolve))

  test('the first one closes the broker, then the process ends with 0', async () => {
    const closing = pending()
    const { host, seen } = hostOf({ close: () => closing.promise })
    await run([], host)
    seen.signal('SIGTERM')
    await settled()
    expect(seen.exits).toEqual([])
    closing.resolve()
    await settled()
    expect(seen.exits).toEqual([0])
  })

  test('the second one ends at once', async () => {
    const { host, seen } = hostOf({ close: () => pending().promise })
    await run([], host)
    seen.signal('SIGINT')
    seen.signal('SIGINT')
    expect(seen.exits).toEqual([130])
  })

  test('a close that fails ends with 1 and says why', async () => {
    const { host, seen } = hostOf({ close: () => Promise.reject(new Error('the disk is full')) })
    await run([], host)
    seen.signal('SIGTERM')
    await settled()
    expect([seen.err, seen.exits]).toEqual(['odradek: the disk is full\n', [1]])
  })

  test('during the start it stops the start without an error', async () => {
    const listening = pending()
    const { host, seen } = hostOf({ listen: () => listening.promise })
    const running = run([], host)
    await settled()
    seen.signal('SIGTERM')
    listening.reject(new Error('closed while starting'))
    await running
    await settled()
    expect([seen.err, seen.out, seen.exits]).toEqual(['', '', [0]])
  })
})

test('other commands start nothing, and their errors end alike', async () => {
  const { host, seen } = hostOf({ files: { '-': '00 1b' } })
  await run(['protocol', 'decode', '--api', 'heartbeat', '--version', '0', '--type', 'response', '-'], host)
  expect(seen.out).toBe('{\n  "errorCode": 27\n}\n')
  await run(['protocol', 'frob'], host)
  expect(seen.err).toBe("odradek: There is no API 'frob'; odradek protocol lists those served.\n")
  expect([seen.started, seen.exits]).toEqual([[], [1]])
})

test('--help and --version start nothing', async () => {
  const { host, seen } = hostOf()
  await run(['--help'], host)
  await run(['-V'], host)
  expect(seen.out).toMatch(/--data-dir DIR[^]*odradek development\n$/)
  expect([seen.started, seen.exits]).toEqual([[], []])
})

test('text lines carry what was bound, and nothing below the level', () => {
  const lines: string[] = []
  const log = textLogger('warn', line => lines.push(line)).child({ topic: 't' })
  log.info('no')
  log.warn({ err: new Error('bad') }, 'failed')
  log.error('worse')
  expect(lines).toEqual(['warn: failed (topic=t, err=bad)\n', 'error: worse (topic=t)\n'])
})
