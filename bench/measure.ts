// What the system tells of processes: CPU seconds, resident memory, how busy the rest of the machine was. Linux only.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** Ticks of the clock of /proc in a second, the same on every Linux of today. */
const TICKS = 100

/** User and system time of a process, all its threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Resident memory in MB: now, and the most so far. */
export function residentMb(pid: number): { now: number; peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (name: string): number => (Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024) / 1e6
  return { now: of('VmRSS'), peak: of('VmHWM') }
}

/** Seconds that all processors were busy, also for others on the same host. */
function machineBusySeconds(): number {
  const [user, nice, system, , , irq, softIrq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number]
  return (user + nice + system + irq + softIrq + steal) / TICKS
}

export interface Measured<T> {
  readonly value: T
  readonly wallS: number
  readonly brokerCpuS: number
  /** What neither the broker nor the client nor this process used, in processors. */
  readonly othersCores: number
}

/** Runs a client against the broker of this pid. `clientCpuS` tells what the client used by itself. */
export async function measured<T>(
  pid: number,
  clientCpuS: (value: T) => number,
  run: () => Promise<T>,
): Promise<Measured<T>> {
  const [machine, own, broker, from] = [machineBusySeconds(), process.cpuUsage(), cpuSeconds(pid), performance.now()]
  const value = await run()
  const wallS = (performance.now() - from) / 1000
  const brokerCpuS = cpuSeconds(pid) - broker
  const { user, system } = process.cpuUsage(own)
  const known = brokerCpuS + clientCpuS(value) + (user + system) / 1e6
  return { value, wallS, brokerCpuS, othersCores: Math.max(0, (machineBusySeconds() - machine - known) / wallS) }
}

/**
 * Writes to this much memory and gives it back, in a process of its own: on a virtual machine whose host takes free
 * pages away, whoever touches a page first pays for it, and that must be neither broker.
 */
export function touchMemory(bytes: number): void {
  const chunk = 32 << 20
  const script = `const all = []; for (let i = 0; i < ${Math.ceil(bytes / chunk)}; i++) all.push(Buffer.alloc(${chunk}, 1))`
  spawnSync(process.execPath, ['-e', script], { env: plainEnvironment() })
}

/** The environment without what changes how Node starts (a list of certificates) or what a broker is told. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_EXTRA_CA_CERTS|NODE_OPTIONS|KAFKA_.*)$/.test(name)),
  )
}

export interface Finished {
  readonly stdout: string
  readonly cpuS: number
}

/** Programs that run, each with a process group of its own: they end with this process, however that ends. */
const groups = new Set<number>()
process.once('exit', () => {
  for (const group of groups) process.kill(-group, 'SIGKILL')
})

/** Runs a program to its end, with its CPU time; rejects with what it said unless it ends with 0, or a code that is taken for it. */
export function runProgram(
  command: string,
  args: readonly string[],
  { input, codes = [0] }: { readonly input?: Buffer; readonly codes?: readonly number[] } = {},
): Promise<Finished> {
  // The shell's `times` is the plain way to the CPU time of a child that is gone.
  const child = spawn('sh', ['-c', '"$@"; code=$?; times >&2; exit $code', 'sh', command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: plainEnvironment(),
    detached: true,
  })
  const { pid } = child
  if (pid !== undefined) groups.add(pid)
  child.once('exit', () => groups.delete(pid!))
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (stderr += text))
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      if (code === null || !codes.includes(code)) {
        reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${`${stdout}${stderr}`.slice(-2000)}`))
        return
      }
      // The last line: user and system time of children.
      const times = [
        ...stderr
          .trim()
          .split('\n')
          .at(-1)!
          .matchAll(/(\d+)m([\d.]+)s/g),
      ]
      resolve({ stdout, cpuS: times.reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0) })
    })
  })
}

/** What the figures were measured on, in one line. */
export function machineClass(): string {
  const memory = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024 / 1024
  const virtual = /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')) ? ', virtual machine' : ''
  return `${cpus().length} cores (${cpus()[0]!.model.trim()})${virtual}, ${memory.toFixed(0)} GiB, Linux, Node ${process.versions.node}`
}
