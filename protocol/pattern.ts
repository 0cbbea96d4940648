// Regular expressions that clients send, matched in time proportional to pattern times text, whatever they are: no
// backtracking (Thompson's construction). Of Java's Pattern and RE2: literals, escapes, classes, groups, |, * + ? {n,m},
// lazy forms, ^ $. Back references, look-around and inline flags are refused.

type Test = (unit: number) => boolean
type Node =
  | { readonly kind: 'test'; readonly test: Test }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number }

/** One step: takes a code point, forks, or holds at the start or end of the text. */
type Step = { kind: 'test'; test: Test } | { kind: 'fork'; to: number[] } | { kind: 'start' | 'end' | 'match' }

const MAX_STEPS = 10_000
const MAX_DEPTH = 100

export class PatternError extends Error {}

/** Whether the whole text matches, as Java's Matcher.matches(). Throws PatternError for what is not understood. */
export function compilePattern(source: string): (text: string) => boolean {
  const steps = program(new Parser(source).parse())
  return text => run(steps, text)
}

const between = (from: number, to: number): Test => {
  return unit => unit >= from && unit <= to
}
const anyOf = (tests: readonly Test[]): Test => {
  return unit => tests.some(test => test(unit))
}
const not = (test: Test): Test => {
  return unit => !test(unit)
}
const is = (char: string): Test => {
  const wanted = char.codePointAt(0)
  return unit => unit === wanted
}

const digit = between(0x30, 0x39)
const word = anyOf([digit, between(0x41, 0x5a), between(0x61, 0x7a), is('_')])
const space = anyOf(' \t\n\u000b\f\r'.split('').map(is))
const classes: Readonly<Record<string, Test>> = {
  d: digit,
  w: word,
  s: space,
  D: not(digit),
  W: not(word),
  S: not(space),
}
const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', a: '\u0007', e: '\u001b' }
/** Java's dot leaves out line ends. */
const dot = not(anyOf('\n\r\u0085\u2028\u2029'.split('').map(is)))

class Parser {
  readonly #chars: string[]
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#chars = Array.from(source)
  }

  parse(): Node {
    const node = this.#choice()
    if (this.#at < this.#chars.length) throw this.#error('a ) without (')
    return node
  }

  #choice(): Node {
    if (++this.#depth > MAX_DEPTH) throw this.#error('groups that are nested too deeply')
    const parts = [this.#sequence()]
    while (this.#eat('|')) parts.push(this.#sequence())
    this.#depth--
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  #sequence(): Node {
    const parts: Node[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      parts.push(this.#repeated(this.#atom()))
    }
    return { kind: 'sequence', parts }
  }

  #atom(): Node {
    const char = this.#take()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'test', test: this.#class() }
      case '.':
        return { kind: 'test', test: dot }
      case '^':
        return { kind: 'start' }
      case '$':
        return { kind: 'end' }
      case '\\':
        return { kind: 'test', test: this.#escape() }
      case '*':
      case '+':
      case '?':
      case '{':
        throw this.#error(`a ${char} with nothing before it`)
      default:
        return { kind: 'test', test: is(char) }
    }
  }

  #group(): Node {
    if (this.#eat('?') && !this.#eat(':')) throw this.#error('a group of a kind that is not supported')
    const node = this.#choice()
    if (!this.#eat(')')) throw this.#error('a group without an end')
    return node
  }

  #repeated(part: Node): Node {
    let node = part
    for (;;) {
      const [min, max] = this.#bounds() ?? [-1, -1]
      if (min < 0) return node
      // Lazy or greedy is the same for a whole match; possessive is not.
      if (!this.#eat('?') && this.#peek() === '+') throw this.#error('a possessive quantifier')
      node = { kind: 'repeat', part: node, min, max }
    }
  }

  #bounds(): [number, number] | null {
    if (this.#eat('*')) return [0, Infinity]
    if (this.#eat('+')) return [1, Infinity]
    if (this.#eat('?')) return [0, 1]
    if (!this.#eat('{')) return null
    const min = this.#number()
    const max = this.#eat(',') ? (this.#peek() === '}' ? Infinity : this.#number()) : min
    if (!this.#eat('}') || max < min) throw this.#error('a quantifier that makes no sense')
    return [min, max]
  }

  #number(): number {
    let text = ''
    while (/^[0-9]$/.test(this.#peek() ?? '')) text += this.#take()
    if (text === '' || Number(text) > MAX_STEPS) throw this.#error('a quantifier that makes no sense')
    return Number(text)
  }

  #class(): Test {
    const negated = this.#eat('^')
    const tests: Test[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === '[' || this.#peek() === '&') throw this.#error('a class within a class')
      tests.push(this.#classItem())
    }
    this.#take()
    return negated ? not(anyOf(tests)) : anyOf(tests)
  }

  #classItem(): Test {
    const from = this.#take()
    if (from === '\\') return this.#escape()
    const isRange = this.#peek() === '-' && this.#chars[this.#at + 1] !== ']'
    if (!isRange) return is(from)
    this.#take()
    const to = this.#take()
    if (to === '\\' || to < from) throw this.#error('a range that makes no sense')
    return between(from.codePointAt(0)!, to.codePointAt(0)!)
  }

  #escape(): Test {
    const char = this.#take()
    const known = classes[char]
    if (known) return known
    if (char in controls) return is(controls[char]!)
    if (/^[a-zA-Z0-9]$/.test(char)) throw this.#error(`the escape \\${char}`)
    return is(char)
  }

  #peek(): string | undefined {
    return this.#chars[this.#at]
  }

  #take(): string {
    const char = this.#chars[this.#at++]
    if (char === undefined) throw this.#error('an end where more is needed')
    return char
  }

  #eat(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }

  #error(what: string): PatternError {
    return new PatternError(`The pattern has ${what}, at ${this.#at}.`)
  }
}

function program(root: Node): readonly Step[] {
  const steps: Step[] = []
  const add = (step: Step): number => {
    if (steps.length >= MAX_STEPS) throw new PatternError('The pattern is too large.')
    return steps.push(step) - 1
  }
  const emit = (node: Node): void => {
    switch (node.kind) {
      case 'sequence':
        return node.parts.forEach(emit)
      case 'choice':
        return emitChoice(node.parts)
      case 'repeat':
        return emitRepeat(node)
      case 'test':
      case 'start':
      case 'end':
        add(node)
    }
  }
  const emitChoice = (parts: readonly Node[]): void => {
    const fork = { kind: 'fork' as const, to: [] as number[] }
    add(fork)
    const ends = parts.map(part => {
      fork.to.push(steps.length)
      emit(part)
      const jump = { kind: 'fork' as const, to: [] as number[] }
      add(jump)
      return jump
    })
    for (const { to } of ends) to.push(steps.length)
  }
  const emitRepeat = ({ part, min, max }: Extract<Node, { kind: 'repeat' }>): void => {
    for (let n = 0; n < min; n++) emit(part)
    if (max === Infinity) {
      const fork = { kind: 'fork' as const, to: [] as number[] }
      const at = add(fork)
      fork.to.push(steps.length)
      emit(part)
      add({ kind: 'fork', to: [at] })
      fork.to.push(steps.length)
      return
    }
    const forks = Array.from({ length: max - min }, () => {
      const fork = { kind: 'fork' as const, to: [] as number[] }
      add(fork)
      fork.to.push(steps.length)
      emit(part)
      return fork
    })
    for (const { to } of forks) to.push(steps.length)
  }
  emit(root)
  add({ kind: 'match' })
  return steps
}

function run(steps: readonly Step[], text: string): boolean {
  const units = Array.from(text, char => char.codePointAt(0)!)
  let current = new Set<number>()
  const follow = (set: Set<number>, first: number, at: number): void => {
    const open = [first]
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (set.has(index)) continue
      set.add(index)
      const step = steps[index]!
      if (step.kind === 'fork') open.push(...step.to)
      else if (step.kind === 'start' && at === 0) open.push(index + 1)
      else if (step.kind === 'end' && at === units.length) open.push(index + 1)
    }
  }
  follow(current, 0, 0)
  for (const [at, unit] of units.entries()) {
    const next = new Set<number>()
    for (const index of current) {
      const step = steps[index]!
      if (step.kind === 'test' && step.test(unit)) follow(next, index + 1, at + 1)
    }
    if (next.size === 0) return false
    current = next
  }
  return current.has(steps.length - 1)
}
