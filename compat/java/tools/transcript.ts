// What a scenario asked of the tools and what they printed, masked: the text that is recorded and compared.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../../harness/index.ts'
import type { Job, Printed, Runner, Tool } from './runner.ts'

export interface Step {
  readonly command: string
  readonly lines: readonly string[]
}

export interface Options {
  readonly stdin?: string
  /** Where the tool goes through a hash table. */
  readonly sorted?: boolean
  /** Only the lines that match, where the others depend on the machine. */
  readonly only?: RegExp
  /** What else differs from run to run, and its placeholder. */
  readonly masks?: readonly (readonly [RegExp, string])[]
  /** The broker's own words about an error are left out; the tool's, and names of exceptions, stay. */
  readonly words?: boolean
  /** Of a tool that is not told the broker's address. */
  readonly alone?: boolean
}

/** What a scenario may do: run tools against one broker. */
export class Transcript {
  readonly bootstrap: string
  readonly dataDir: string
  readonly steps: Step[] = []
  readonly #runner: Runner
  readonly #mask: Mask
  readonly #jobs: Job[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'odradek-tools-'))

  constructor(runner: Runner, broker: { bootstrap: string; dataDir: string }) {
    this.#runner = runner
    this.bootstrap = broker.bootstrap
    this.dataDir = broker.dataDir
    this.#mask = new Mask({ ...broker, folder: this.#folder })
  }

  /** Runs a tool; what it prints becomes part of the transcript. */
  async run(tool: Tool, args: readonly string[], options: Options = {}): Promise<Printed> {
    const printed = await this.quietly(tool, args, options)
    this.add(tool, args, printed, options)
    return printed
  }

  /** Runs a tool that only prepares. */
  quietly(tool: Tool, args: readonly string[], options: Options = {}): Promise<Printed> {
    return this.#runner.run(tool, this.#address(args, options), options.stdin)
  }

  /** Asks again until the output matches; the last output is part of the transcript. */
  async until(pattern: RegExp, tool: Tool, args: readonly string[], options: Options = {}): Promise<void> {
    const matches = async (): Promise<Printed | null> => {
      const printed = await this.quietly(tool, args, options)
      if (pattern.test(printed.out)) return printed
      throw new Error(printed.out + printed.err)
    }
    const printed = await eventually(`${tool} ${args.join(' ')}`, matches, { ms: 20_000, everyMs: 100 })
    this.add(tool, args, printed, options)
  }

  /** Starts a tool that stays; it is ended with the scenario at the latest. */
  async start(tool: Tool, args: readonly string[], options: Options = {}): Promise<Job> {
    const job = await this.#runner.start(tool, this.#address(args, options), options.stdin)
    this.#jobs.push(job)
    return job
  }

  /** Writes a file and returns its path. */
  file(name: string, content: string): string {
    const path = join(this.#folder, name)
    writeFileSync(path, content)
    return path
  }

  async stopAll(): Promise<void> {
    rmSync(this.#folder, { recursive: true })
    await Promise.all(this.#jobs.splice(0).map(job => job.stop()))
  }

  add(tool: string, args: readonly string[], { code, out, err }: Printed, options: Options = {}): void {
    let lines = [...linesOf(out), ...linesOf(err).map(line => `! ${line}`)]
    if (options.only !== undefined) lines = lines.filter(line => options.only!.test(line))
    for (const [pattern, placeholder] of options.masks ?? [])
      lines = lines.map(line => line.replaceAll(pattern, placeholder))
    lines = lines.map(line => line.replace(exceptionsWords, '<words>'))
    if (options.words) for (const words of brokersWords) lines = lines.map(line => line.replace(words, '<words>'))
    // Before ids get their numbers, so that their order is that of the lines.
    if (options.sorted) lines.sort((a, b) => (this.#mask.plain(a) < this.#mask.plain(b) ? -1 : 1))
    if (code !== 0) lines.push(`exit code ${code}`)
    const command = [tool, ...args.map(arg => (/[\s|*?]/.test(arg) ? `'${arg.replaceAll('\n', '\\n')}'` : arg))]
    this.steps.push({
      command: this.#mask.apply(command.join(' ')),
      lines: lines.map(line => this.#mask.apply(line)),
    })
  }

  #address(args: readonly string[], { alone = false }: Options): string[] {
    return alone ? [...args] : ['--bootstrap-server', this.bootstrap, ...args]
  }
}

const brokersWords = [
  /(?<=^(?:! )?(?:Error while [^:']*: ?|Error: )(?:[\w.]+Exception: ?)*)(?!Executing|Assignments|org\.).+$/,
  /(?<=^(?:! )?Could not \w+ \S+ to \S+\. ).*$/,
] as const
/** Of whatever an exception says; which one it is remains. */
const exceptionsWords = /(?<=\b[\w.]+(?:Exception|Error): )(?!(?:[\w.]+)Exception\b|<).+$/

/** The order of configurations in a list has no meaning. */
const configsSorted = (line: string): string =>
  line.replace(/(?<=Configs: )\S+/, list =>
    list
      .split(',')
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join(),
  )

const traces = /^\s+at |^\s*\.\.\. \d+ more|^\s+Suppressed: /

/** Without empty lines and traces, and with columns that are not padded: their widths depend on ids and addresses. */
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .filter(line => !traces.test(line))
    .map(line => configsSorted(line.replaceAll(/ {2,}/g, ' ').trimEnd()))
    .filter(line => line !== '')

/** Replaces what a broker or tool chooses for itself. The same id has the same placeholder throughout a scenario. */
class Mask {
  readonly #fixed: readonly (readonly [string, string])[]
  readonly #names = new Map<string, string>()

  constructor({ bootstrap, dataDir, folder }: { bootstrap: string; dataDir: string; folder: string }) {
    const port = bootstrap.split(':')[1]!
    this.#fixed = [
      [dataDir, '<dir>'],
      [folder, '<files>'],
      [`127.0.0.1:${port}`, '<broker>'],
      [`localhost:${port}`, '<broker>'],
      [port, '<port>'],
    ]
  }

  apply(text: string): string {
    return this.#replace(text, (kind, id) => {
      const known = this.#names.get(id)
      if (known !== undefined) return known
      const name = `<${kind} ${[...this.#names.values()].filter(of => of.startsWith(`<${kind} `)).length + 1}>`
      this.#names.set(id, name)
      return name
    })
  }

  /** As above with all ids alike. */
  plain(text: string): string {
    return this.#replace(text, kind => `<${kind}>`)
  }

  #replace(text: string, name: (kind: string, id: string) => string): string {
    let masked = text
    for (const [found, placeholder] of this.#fixed) masked = masked.replaceAll(found, placeholder)
    return masked
      .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, id => name('uuid', id))
      .replaceAll(/(?<![\w.-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{22}(?![\w.(-])/g, id => name('id', id))
      .replaceAll(/(?<=\bproducer_?[iI]d"?[:=] ?)\d+/g, id => name('producer', `producer ${id}`))
      .replaceAll(/\bconsole-consumer-\d+/g, id => name('group', id))
      .replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-][\d:]+)?/g, '<time>')
      .replaceAll(/\b1[6-9]\d{11}\b/g, '<ms>')
  }
}

export const textOf = (steps: readonly Step[]): string =>
  steps.map(({ command, lines }) => [`$ ${command}`, ...lines].join('\n')).join('\n\n') + '\n'

export function parse(text: string): Step[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map(part => {
      const [command, ...lines] = part.trimEnd().split('\n')
      return { command: command!, lines }
    })
}
