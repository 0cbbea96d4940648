// Fetch sessions (KIP-227): opening, news only, changes, and what a wrong id or epoch answers.
import { scenario, type Case, type Topic } from '../scenario.ts'
import { Fetch } from '../../../protocol/index.ts'
import { batch, fetchLimits, fetchTopic, fill, NO_SUCH_ID, type FetchOptions } from './requests.ts'

const versions = { versions: [7, 99] } as const

const ask = (
  on: Case,
  label: string,
  v: number,
  o: FetchOptions,
  topics: readonly (readonly [Pick<Topic, 'name' | 'id'>, ...FetchOptions[]])[],
  forgotten: readonly (readonly [Pick<Topic, 'name' | 'id'>, ...number[]])[] = [],
) =>
  on.ask(label, Fetch, v, {
    ...fetchLimits(v, o),
    topics: topics.map(([topic, ...partitions]) => fetchTopic(v, topic, partitions)),
    forgottenTopicsData: forgotten.map(([topic, ...partitions]) => ({
      ...(v >= 13 ? { topicId: topic.id } : { topic: topic.name }),
      partitions,
    })),
  })

export const fetchSessionScenarios = [
  scenario(
    'fetch sessions/news',
    Fetch,
    async (on, v) => {
      const topic = await on.topic('t', { partitions: 2 })
      await fill(on, topic, batch(['a']))
      const opened = await ask(on, 'open', v, { sessionEpoch: 0 }, [[topic, { partition: 0 }, { partition: 1 }]])
      const { sessionId } = opened
      await ask(on, 'nothing new but the unread records', v, { sessionId, sessionEpoch: 1 }, [])
      await ask(on, 'read on', v, { sessionId, sessionEpoch: 2 }, [[topic, { partition: 0, offset: 1 }]])
      await ask(on, 'no news', v, { sessionId, sessionEpoch: 3 }, [])
      await fill(on, topic, batch(['b']), 1)
      await ask(on, 'news of partition 1', v, { sessionId, sessionEpoch: 4 }, [])
      await ask(on, 'forget partition 1', v, { sessionId, sessionEpoch: 5 }, [], [[topic, 1]])
      await ask(on, 'forget what is not there', v, { sessionId, sessionEpoch: 6 }, [], [[topic, 1, 7]])
      await ask(on, 'a bad offset', v, { sessionId, sessionEpoch: 7 }, [[topic, { partition: 0, offset: 99 }]])
      await ask(on, 'the error comes again', v, { sessionId, sessionEpoch: 8 }, [])
      await ask(
        on,
        'forget and name at once',
        v,
        { sessionId, sessionEpoch: 9 },
        [[topic, { partition: 0 }]],
        [[topic, 0]],
      )
      await ask(on, 'an unknown partition joins', v, { sessionId, sessionEpoch: 10 }, [[topic, { partition: 5 }]])
      await ask(on, 'an unknown topic joins', v, { sessionId, sessionEpoch: 11 }, [
        [{ name: on.name('nowhere'), id: NO_SUCH_ID }, {}],
      ])
      await ask(on, 'close', v, { sessionId, sessionEpoch: -1 }, [])
      await ask(on, 'after closing', v, { sessionId, sessionEpoch: 12 }, [])
    },
    versions,
  ),

  scenario(
    'fetch sessions/errors',
    Fetch,
    async (on, v) => {
      const topic = await on.topic('t')
      await fill(on, topic, batch(['a']))
      const all = [[topic, {}]] as const
      await ask(on, 'no session', v, { sessionId: 0, sessionEpoch: -1 }, all)
      await ask(on, 'an unknown id', v, { sessionId: 77, sessionEpoch: 1 }, all)
      await ask(on, 'an unknown id, epoch -1', v, { sessionId: 77, sessionEpoch: -1 }, all)
      await ask(on, 'an unknown id, epoch 0', v, { sessionId: 77, sessionEpoch: 0 }, all)
      await ask(on, 'id 0, epoch 1', v, { sessionId: 0, sessionEpoch: 1 }, all)
      await ask(on, 'id 0, epoch -2', v, { sessionId: 0, sessionEpoch: -2 }, all)
      const { sessionId } = await ask(on, 'open', v, { sessionEpoch: 0 }, all)
      await ask(on, 'an epoch too high', v, { sessionId, sessionEpoch: 2 }, [])
      await ask(on, 'an epoch of the past', v, { sessionId, sessionEpoch: 0 }, all)
      await ask(on, 'then the old id', v, { sessionId, sessionEpoch: 1 }, [])
      await ask(on, 'open with no partitions', v, { sessionEpoch: 0 }, [])
      const { sessionId: second } = await ask(on, 'open another', v, { sessionEpoch: 0 }, all)
      await ask(on, 'the right epoch', v, { sessionId: second, sessionEpoch: 1 }, [])
      await ask(on, 'the same epoch again', v, { sessionId: second, sessionEpoch: 1 }, [])
      await ask(on, 'the next epoch', v, { sessionId: second, sessionEpoch: 2 }, [])
      await ask(on, 'replaced by a new one', v, { sessionId: second, sessionEpoch: 0 }, all)
    },
    versions,
  ),
  scenario('fetch sessions/names and ids do not mix', null, async on => {
    const topic = await on.topic('t')
    const byName = await ask(on, 'open by name', 12, { sessionEpoch: 0 }, [[topic, {}]])
    await ask(on, 'on by id', 13, { sessionId: byName.sessionId, sessionEpoch: 1 }, [])
    const byId = await ask(on, 'open by id', 13, { sessionEpoch: 0 }, [[topic, {}]])
    await ask(on, 'on by name', 12, { sessionId: byId.sessionId, sessionEpoch: 1 }, [])
  }),
]
