// Members of one group as small clients with latencies, driven by virtual time: they join, sync, beat, commit, leave,
// crash and come back, while the broker restarts. What they are told is checked as it arrives.
import { errorOf, KafkaError, NONE } from '../../../../protocol/errors.ts'
import type { GroupCommand, GroupReply, Replies } from '../../../../src/coordinators/group/commands.ts'
import type { GroupMachine } from '../../../../src/coordinators/group/machine.ts'
import { commitRequest, joinRequest, subscription, syncRequest } from './requests.ts'
import { World } from './world.ts'

const BEAT_MS = 3000
/** Between two commands of a test; far more than heartbeats need. */
const MAX_STEPS = 20_000

interface Client {
  readonly name: string
  readonly instance: string | null
  readonly latencyMs: number
  /** Counts lives: answers to an earlier one are lost. */
  life: number
  alive: boolean
  memberId: string
  generation: number
  stable: boolean
  assignment: string
}

export interface ClientOptions {
  readonly instance: boolean
  readonly latencyMs: number
}

export class Simulation {
  readonly world: World
  readonly clients: Client[]
  /** The last offset that was acknowledged, by client. */
  readonly committed = new Map<string, number>()
  /** Tickets nobody has answered yet. */
  readonly open = new Map<number, (reply: GroupReply) => void>()
  #events: { at: number; run: () => void }[] = []
  #nextTicket = 0
  #suffix = 0
  #epoch = 0
  #offset = 0
  /** Who led each generation, and which protocol it chose. */
  readonly #leaders = new Map<string, string>()

  constructor(options: readonly ClientOptions[]) {
    this.world = new World(
      {},
      {
        logged: () => undefined,
        replied: (ticket, reply) => {
          const answer = this.open.get(ticket)
          if (!answer) throw new Error(`ticket ${ticket} is answered twice, or was never given out`)
          this.open.delete(ticket)
          answer(reply)
        },
      },
    )
    this.clients = options.map(({ instance, latencyMs }, i) => ({
      name: `c${i}`,
      instance: instance ? `static${i}` : null,
      latencyMs,
      life: 0,
      alive: false,
      memberId: '',
      generation: -1,
      stable: false,
      assignment: '',
    }))
  }

  start(index: number): void {
    const client = this.clients[index]!
    client.life++
    Object.assign(client, { alive: true, memberId: '', generation: -1, stable: false })
    this.#later(client, () => this.#join(client))
  }

  /** Stops without a word. */
  crash(index: number): void {
    const client = this.clients[index]!
    client.life++
    Object.assign(client, { alive: false, stable: false })
  }

  leave(index: number): void {
    const client = this.clients[index]!
    const { memberId, instance } = client
    if (!client.alive || memberId === '') return
    this.crash(index)
    const members = [{ memberId, groupInstanceId: instance, reason: null }]
    this.#send({ type: 'leave', groupId: 'g', members }, () => undefined)
  }

  /** Subscribes to something else, which forces a rebalance. */
  resubscribe(index: number): void {
    const client = this.clients[index]!
    if (client.alive && client.stable) this.#join(client, `other${this.#suffix++}`)
  }

  commit(index: number): void {
    const client = this.clients[index]!
    if (!client.alive || !client.stable) return
    const offset = ++this.#offset
    const request = commitRequest(
      { [`${client.name}-0`]: offset },
      { memberId: client.memberId, generationIdOrMemberEpoch: client.generation, groupInstanceId: client.instance },
    )
    this.#send({ type: 'offsetCommit', request, apiVersion: 9 }, (reply: Replies['offsetCommit']) => {
      if (reply.topics[0]?.partitions[0]?.errorCode === NONE) this.committed.set(client.name, offset)
    })
  }

  /** The broker restarts: whoever waits loses its connection and tries again. */
  restart(): void {
    this.#epoch++
    this.open.clear()
    this.world.reload()
    for (const client of this.clients) {
      if (!client.alive) continue
      client.life++
      this.#later(client, () => (client.stable ? this.#beat(client) : this.#join(client)))
    }
  }

  /** What happens on the way may make more happen on the way. */
  advance(ms: number): void {
    const end = this.world.now + ms
    for (let steps = 0; ; steps++) {
      if (steps > MAX_STEPS) throw new Error('the simulation does not come to rest')
      const event = this.#events.toSorted((a, b) => a.at - b.at)[0]
      const due = Math.min(event?.at ?? Infinity, this.world.nextDue)
      if (due > end) break
      this.world.advance(Math.max(0, due - this.world.now))
      if (!event || event.at > due) continue
      this.#events.splice(this.#events.indexOf(event), 1)
      event.run()
    }
    this.world.advance(end - this.world.now)
  }

  /** Runs at once if the client's life goes on. */
  #later(client: Client, run: () => void, ms = client.latencyMs): void {
    const { life } = client
    this.#events.push({ at: this.world.now + ms, run: () => client.life === life && run() })
  }

  #send<R extends GroupReply>(command: GroupCommand, answer: (reply: R) => void): void {
    const ticket = this.#nextTicket++
    this.open.set(ticket, reply => answer(reply as R))
    try {
      this.world.submit(command, ticket)
    } catch (error) {
      // The machine refuses commits this way; the client learns no more than that.
      if (!(error instanceof KafkaError)) throw error
      this.open.delete(ticket)
    }
  }

  #join(client: Client, topic = 't'): void {
    client.stable = false
    // A client has one thing under way: answers to what it did before no longer count.
    client.life++
    const request = joinRequest({
      memberId: client.memberId,
      groupInstanceId: client.instance,
      rebalanceTimeoutMs: 20_000,
      protocols: [{ name: 'range', metadata: subscription([topic]) }],
    })
    const command = {
      type: 'join' as const,
      request,
      apiVersion: 9,
      clientId: client.name,
      clientHost: '/127.0.0.1',
      memberIdSuffix: String(this.#suffix++),
    }
    const { life } = client
    this.#send(command, (reply: Replies['join']) => {
      if (reply.errorCode === NONE) this.#checkJoined(client, reply)
      if (client.life === life) this.#later(client, () => this.#joined(client, reply))
    })
  }

  #checkJoined(client: Client, reply: Replies['join']): void {
    // A static member keeps its role under a new id.
    const role = /^(static\d+)-/.exec(reply.leader)?.[1] ?? reply.leader
    const key = `${this.#epoch}/${reply.generationId}`
    const known = this.#leaders.get(key)
    if (known !== undefined && known !== role) throw new Error(`generation ${key} has two leaders: ${known}, ${role}`)
    this.#leaders.set(key, role)
    const isLeader = reply.leader === reply.memberId
    if (isLeader !== (reply.members ?? []).length > 0) throw new Error('the member list is for the leader alone')
    const listed = (reply.members ?? []).some(({ memberId }) => memberId === reply.memberId)
    if (isLeader && !listed) throw new Error(`${client.name} leads a group without itself`)
  }

  #joined(client: Client, reply: Replies['join']): void {
    switch (errorOf(reply.errorCode).name) {
      case 'NONE':
        client.memberId = reply.memberId
        client.generation = reply.generationId ?? -1
        return this.#sync(client, reply)
      case 'MEMBER_ID_REQUIRED':
        client.memberId = reply.memberId
        return this.#join(client)
      case 'UNKNOWN_MEMBER_ID':
        client.memberId = ''
        return this.#join(client)
      case 'REBALANCE_IN_PROGRESS':
        return this.#join(client)
      case 'FENCED_INSTANCE_ID':
        return this.#fenced(client)
      default:
        throw new Error(`${client.name}: join answered with ${errorOf(reply.errorCode).name}`)
    }
  }

  #sync(client: Client, joined: Replies['join']): void {
    const assignments = joined.skipAssignment
      ? []
      : (joined.members ?? []).map(({ memberId }) => ({ memberId, assignment: Buffer.from(`for ${memberId}`) }))
    const { memberId, generation: generationId, instance: groupInstanceId, life } = client
    const request = syncRequest({ memberId, generationId, groupInstanceId, assignments })
    this.#send({ type: 'sync', request }, (reply: Replies['sync']) => {
      if (client.life !== life) return
      this.#later(client, () => {
        if (reply.errorCode !== NONE) return this.#failed(client, reply.errorCode)
        client.assignment = Buffer.from(reply.assignment).toString()
        client.stable = true
        this.#later(client, () => this.#beat(client), BEAT_MS)
      })
    })
  }

  #beat(client: Client): void {
    const { memberId, generation: generationId, instance: groupInstanceId, life } = client
    if (!client.stable) return
    const request = { groupId: 'g', memberId, generationId, groupInstanceId }
    this.#send({ type: 'heartbeat', request }, (reply: Replies['heartbeat']) => {
      if (client.life !== life || !client.stable) return
      if (reply.errorCode === NONE) this.#later(client, () => this.#beat(client), BEAT_MS)
      else this.#later(client, () => client.stable && this.#failed(client, reply.errorCode))
    })
  }

  /** An id given during a rebalance is not in the log: after a broker restart the earlier one holds, as in Kafka. */
  #fenced(client: Client): void {
    if (this.#epoch === 0 || client.instance === null) throw new Error(`${client.name} is fenced by nobody`)
    client.memberId = ''
    this.#join(client)
  }

  #failed(client: Client, code: number): void {
    const { name } = errorOf(code)
    if (name === 'FENCED_INSTANCE_ID') return this.#fenced(client)
    if (name === 'UNKNOWN_MEMBER_ID') client.memberId = ''
    else if (name !== 'REBALANCE_IN_PROGRESS' && name !== 'ILLEGAL_GENERATION') {
      throw new Error(`${client.name}: ${name}`)
    }
    this.#join(client)
  }
}

/** What must be the same in a machine that only read the log; null while a rebalance is under way. */
export function hardState(machine: GroupMachine): unknown {
  const groups = [...machine.groups.values()].map(group => {
    if (group.state !== 'Stable' && group.state !== 'Empty') return null
    const { groupId, state, stateTimestamp, generationId, protocolType, protocolName, leaderId } = group
    const members = [...group.members.values()].map(({ joinTicket: _, syncTicket: __, isNew: ___, ...member }) => ({
      ...member,
      protocols: member.protocols.filter(({ name }) => name === protocolName),
    }))
    const topics = group.subscribedTopics && [...group.subscribedTopics]
    return { groupId, state, stateTimestamp, generationId, protocolType, protocolName, leaderId, members, topics }
  })
  const offsets = [...machine.offsets.all()].map(([groupId, topic, partition]) => [
    topic,
    partition,
    machine.offsets.get(groupId, topic, partition),
  ])
  return groups.includes(null) ? null : { groups, offsets }
}
