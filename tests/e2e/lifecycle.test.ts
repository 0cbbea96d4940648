// A broker's life in a process: several at once, what a closed one leaves, and that a process with nothing else to do ends.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { CreateTopics, Metadata } from '../../protocol/index.ts'
import { within } from '../../compat/harness/wait.ts'
import { answers, open } from '../../compat/harness/wire.ts'
import { createBroker } from '../../src/index.ts'
import { broker, folder } from './support.ts'

async function create(bootstrap: string, name: string): Promise<number | undefined> {
  const client = await open(bootstrap)
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const { topics: made } = await client.request(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
  client.close()
  return made[0]?.errorCode
}

async function topicsOf(bootstrap: string): Promise<(string | null)[]> {
  const client = await open(bootstrap)
  const { topics } = await client.request(Metadata, 12, { topics: null, allowAutoTopicCreation: false })
  client.close()
  return topics.map(({ name }) => name)
}

it('several brokers in one process know nothing of each other', async () => {
  const brokers = [await broker(), await broker(), await broker({ dataDir: folder() })]
  expect(new Set(brokers.map(({ bootstrap }) => bootstrap)).size).toBe(3)
  for (const [i, { bootstrap }] of brokers.entries()) expect(await create(bootstrap, `only-${i}`)).toBe(0)
  for (const [i, { bootstrap }] of brokers.entries()) expect(await topicsOf(bootstrap)).toEqual([`only-${i}`])
  await brokers[0]!.close()
  await expect(answers(brokers[0]!.bootstrap)).rejects.toThrow('ECONNREFUSED')
  expect(await answers(brokers[1]!.bootstrap)).toBe(true)
})

it('is disposed of by Symbol.asyncDispose, which closes open connections', async () => {
  const made = createBroker({ listen: '127.0.0.1:0' })
  await made.listen()
  const { bootstrap } = made
  const client = await open(bootstrap)
  await made[Symbol.asyncDispose]()
  await client.closed
  await expect(answers(bootstrap)).rejects.toThrow('ECONNREFUSED')
  await made[Symbol.asyncDispose]()
})

it('a second broker on the same folder is refused in one sentence, and the first goes on', async () => {
  const dataDir = folder()
  const first = await broker({ dataDir })
  await expect(broker({ dataDir })).rejects.toThrow(/lock|in use|another/i)
  expect(await create(first.bootstrap, 't')).toBe(0)
})

it('a clean stop says so in the folder, and the next start has every topic', async () => {
  const dataDir = folder()
  const first = await broker({ dataDir })
  await create(first.bootstrap, 't')
  expect(existsSync(join(dataDir, '.kafka_cleanshutdown'))).toBe(false)
  await first.close()
  expect(existsSync(join(dataDir, '.kafka_cleanshutdown'))).toBe(true)
  const second = await broker({ dataDir })
  expect(await topicsOf(second.bootstrap)).toContain('t')
})

it('a bare process that creates, uses and closes brokers in memory and on disk ends by itself', async () => {
  const root = join(import.meta.dirname, '../..')
  const at = (path: string): string => JSON.stringify(pathToFileURL(join(root, path)).href)
  const program = `
    const { createBroker } = await import(${at('src/index.ts')})
    const { open } = await import(${at('compat/harness/wire.ts')})
    const { CreateTopics } = await import(${at('protocol/index.ts')})
    for (const options of [{}, { dataDir: ${JSON.stringify(folder())} }]) {
      const broker = createBroker({ listen: '127.0.0.1:0', ...options })
      await broker.listen()
      const client = await open(broker.bootstrap)
      const topics = [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }]
      const answer = await client.request(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
      await broker.close()
      await client.closed
      console.log('closed', answer.topics[0].errorCode)
    }
  `
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  child.stderr.on('data', chunk => (output += String(chunk)))
  const ended = new Promise<number | null>(resolve => void child.once('close', resolve))
  try {
    expect([await within(25_000, `the end of the process (${output})`, ended), output]).toEqual([
      0,
      'closed 0\nclosed 0\n',
    ])
  } finally {
    child.kill('SIGKILL')
  }
})
