// The domain: accounts, what can be asked of them, what then happened. Pure; knows nothing of Kafka.

export type Command =
  | { readonly type: 'open'; readonly account: string; readonly owner: string }
  | { readonly type: 'deposit'; readonly account: string; readonly amount: number }
  | { readonly type: 'withdraw'; readonly account: string; readonly amount: number }

export type Event =
  | { readonly type: 'opened'; readonly account: string; readonly owner: string }
  | { readonly type: 'deposited'; readonly account: string; readonly amount: number }
  | { readonly type: 'withdrawn'; readonly account: string; readonly amount: number }
  | { readonly type: 'refused'; readonly account: string; readonly command: Command; readonly reason: string }

export interface Account {
  readonly owner: string
  readonly balance: number
}

export type Accounts = Map<string, Account>

/** What a command becomes, given everything that happened before. A refusal is an event too: somebody may ask why. */
export function decide(accounts: ReadonlyMap<string, Account>, command: Command): Event {
  const { account } = command
  const refused = (reason: string): Event => ({ type: 'refused', account, command, reason })
  const found = accounts.get(account)
  if (command.type === 'open') {
    return found ? refused('there is such an account') : { type: 'opened', account, owner: command.owner }
  }
  if (!found) return refused('there is no such account')
  if (!(command.amount > 0)) return refused('the amount is not positive')
  if (command.type === 'deposit') return { type: 'deposited', account, amount: command.amount }
  if (command.amount > found.balance) return refused('the balance is too low')
  return { type: 'withdrawn', account, amount: command.amount }
}

/** The state after an event: the only place that changes it, in the writer as in every view. */
export function evolve(accounts: Accounts, event: Event): void {
  if (event.type === 'refused') return
  if (event.type === 'opened') {
    accounts.set(event.account, { owner: event.owner, balance: 0 })
    return
  }
  const before = accounts.get(event.account)
  if (!before) throw new Error(`${event.type} for the account ${event.account}, which was never opened.`)
  const change = event.type === 'deposited' ? event.amount : -event.amount
  accounts.set(event.account, { ...before, balance: before.balance + change })
}
