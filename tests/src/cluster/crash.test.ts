/** Whatever is commanded and whenever the power goes: after a restart the image is what the durable log says. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPartitions, createTopics, deleteTopics } from '../../../src/cluster/controller.ts'
import { allocateProducerIds, ProducerIds } from '../../../src/cluster/producer-ids.ts'
import { MetadataImage, type TopicImage } from '../../../src/cluster/image.ts'
import { loadBatches } from '../../../src/cluster/metadata-log.ts'
import type { Metadata } from '../../../src/cluster/metadata.ts'
import type { MetadataRecord } from '../../../src/cluster/records.ts'
import type { MemoryLog } from './memory-log.ts'
import { contents, createRequest, idsFrom, open, options, registration } from './support.ts'

const names = ['a', 'a.b', 'a_b', 'c']
const name = fc.constantFrom(...names)

type Command =
  | { readonly do: 'create'; readonly names: readonly string[]; readonly partitions: number }
  | { readonly do: 'delete'; readonly names: readonly string[] }
  | { readonly do: 'grow'; readonly name: string; readonly count: number }
  | { readonly do: 'configure'; readonly name: string; readonly value: string | null }
  | { readonly do: 'producerId' }
  /** Waits until all is durable. */
  | { readonly do: 'settle' }
  /** The power goes; `torn` of the batches that were not durable are there all the same. */
  | { readonly do: 'crash'; readonly torn: number; readonly cleanly: boolean }

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    names: fc.array(name, { minLength: 1, maxLength: 3 }),
    partitions: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({ do: fc.constant('delete' as const), names: fc.array(name, { minLength: 1, maxLength: 2 }) }),
  fc.record({ do: fc.constant('grow' as const), name, count: fc.integer({ min: 1, max: 20 }) }),
  fc.record({
    do: fc.constant('configure' as const),
    name,
    value: fc.option(fc.constantFrom('1', '2'), { nil: null }),
  }),
  fc.record({ do: fc.constant('producerId' as const) }),
  fc.record({ do: fc.constant('settle' as const) }),
  fc.record({ do: fc.constant('crash' as const), torn: fc.integer({ min: 0, max: 4 }), cleanly: fc.boolean() }),
)

/** The log's own word, by another way than the store's: all committed records in one go. */
function replayed(log: MemoryLog): MetadataImage {
  const image = new MetadataImage()
  const records: MetadataRecord[] = []
  for (const loaded of loadBatches(log)) records.push(...loaded.records)
  image.apply(records, log.endOffset)
  return image
}

class World {
  metadata!: Metadata
  log!: MemoryLog
  ids!: ProducerIds
  readonly given: number[] = []
  readonly answered: Promise<unknown>[] = []
  readonly newTopicId = idsFrom()

  async start(log?: MemoryLog, cleanShutdown = true): Promise<void> {
    const opened = await open({
      ...(log === undefined ? {} : { log }),
      maxBatchBytes: 400,
      registration: { ...registration, cleanShutdown },
    })
    this.metadata = opened.metadata
    this.log = opened.log
    const brokerEpoch = this.metadata.image.broker(1)?.brokerEpoch ?? -1
    this.ids = new ProducerIds(() => this.metadata.submit(image => allocateProducerIds(image, 1, brokerEpoch)))
  }

  run(step: Exclude<Command, { do: 'settle' | 'crash' }>): void {
    const { metadata } = this
    const done = (promise: Promise<unknown>) => void this.answered.push(promise.catch(() => 'lost'))
    if (step.do === 'create') {
      const request = createRequest(step.names.map(each => ({ name: each, numPartitions: step.partitions })))
      done(metadata.submit(image => createTopics(image, request, options({ newTopicId: this.newTopicId }))))
    } else if (step.do === 'delete')
      done(
        metadata.submit(image =>
          deleteTopics(
            image,
            { topicNames: [...step.names], topics: [], timeoutMs: 0 },
            { enabled: true, apiVersion: 5 },
          ),
        ),
      )
    else if (step.do === 'grow')
      done(
        metadata.submit(image =>
          createPartitions(image, {
            topics: [{ name: step.name, count: step.count, assignments: null }],
            timeoutMs: 0,
            validateOnly: false,
          }),
        ),
      )
    else if (step.do === 'configure')
      done(
        metadata.submit(image => ({
          records:
            image.topicByName(step.name) === undefined
              ? []
              : [
                  {
                    type: 'ConfigRecord',
                    value: { resourceType: 2, resourceName: step.name, name: 'retention.ms', value: step.value },
                  },
                ],
          reply: 0,
        })),
      )
    else done(this.ids.next().then(id => this.given.push(id)))
  }

  /** Restarts from what a power cut leaves. */
  async crash(
    torn: number,
    cleanShutdown: boolean,
  ): Promise<{ expected: MetadataImage; visible: TopicImage[]; batches: number }> {
    const visible = [...this.metadata.image.topics()]
    const log = this.log.crashed(torn)
    const expected = replayed(log)
    const batches = log.batchCount
    this.log.fault = () => {
      throw new Error('the power is off')
    }
    await this.start(log, cleanShutdown)
    return { expected, visible, batches }
  }
}

/** What the log said is what is there; the start itself adds a registration and, after an unclean stop, leader epochs. */
function checkRestart(
  world: World,
  { expected, visible, batches }: Awaited<ReturnType<World['crash']>>,
  cleanShutdown: boolean,
): void {
  const { image, deletedTopicIds } = world.metadata
  expect(image.inTransaction).toBe(false)
  expect(contents(image).configs).toEqual(contents(expected).configs)
  expect(image.producerIdNext).toBe(expected.producerIdNext)
  expect([...image.topics()].map(identity)).toEqual([...expected.topics()].map(identity))
  const epochs = (topics: Iterable<TopicImage>, add: number) =>
    [...topics].flatMap(({ partitions }) => partitions.map(({ leader, leaderEpoch }) => [leader, leaderEpoch + add]))
  expect(epochs(image.topics(), 0)).toEqual(epochs(expected.topics(), cleanShutdown ? 0 : 1))
  // What anybody saw before is still there, unless the log deletes it.
  const lost = visible.filter(({ topicId, name: seen, partitions }) => {
    const now = image.topicById(topicId)
    if (now === undefined) return !deletedTopicIds.has(topicId)
    return now.name !== seen || now.partitions.length < partitions.length
  })
  expect(lost).toEqual([])
  const types = [...loadBatches(world.log)].slice(batches).map(({ records }) => records[0]?.type)
  expect(types.includes('AbortTransactionRecord')).toBe(expected.inTransaction)
}

const identity = ({
  name: topic,
  topicId,
  partitions,
}: {
  name: string
  topicId: string
  partitions: readonly unknown[]
}) => [topic, topicId, partitions.length]

const checkDurable = ({ log, metadata }: World) => {
  expect(contents(replayed(log))).toEqual(contents(metadata.image))
}

test('random commands and power cuts', { timeout: 30_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async steps => {
      const world = new World()
      await world.start()
      for (const step of steps)
        if (step.do === 'settle') {
          await world.metadata.idle()
          checkDurable(world)
        } else if (step.do === 'crash') {
          checkRestart(world, await world.crash(step.torn, step.cleanly), step.cleanly)
        } else world.run(step)
      await world.metadata.idle()
      await Promise.all(world.answered)
      checkDurable(world)
      expect(new Set(world.given).size).toBe(world.given.length)
      for (const id of world.given) expect(id).toBeLessThan(world.metadata.image.producerIdNext)
    }),
    { numRuns: 150 },
  )
})
