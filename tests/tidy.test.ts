// The rules of the house as a test: who may import whom, what only the runtime may touch, how a file looks.

import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Layer to the layers it may import. Files that stand in src itself are the composition root, src/index.ts. */
const layers: Record<string, readonly string[]> = {
  protocol: [],
  storage: ['protocol'],
  'src/runtime': [],
  'src/config': ['protocol'],
  'src/observe': ['protocol', 'src/runtime', 'src/config'],
  'src/coordinators': ['protocol', 'src/runtime'],
  'src/cluster': ['protocol', 'storage', 'src/runtime', 'src/config'],
  'src/broker': ['protocol', 'storage', 'src/runtime', 'src/config', 'src/observe', 'src/cluster', 'src/coordinators'],
  'src/apis': ['protocol', 'src/runtime', 'src/config', 'src/observe', 'src/cluster', 'src/coordinators', 'src/broker'],
  'src/server': ['protocol', 'src/runtime', 'src/observe'],
  'src/cli': ['protocol', 'storage', 'src/config', 'src/runtime', 'src/apis', 'src/index.ts'],
  'src/index.ts': [
    'protocol',
    'storage',
    'src/runtime',
    'src/config',
    'src/observe',
    'src/cluster',
    'src/coordinators',
    'src/broker',
    'src/apis',
    'src/server',
  ],
}

/** The machine (clock, timers, chance, files, sockets) is touched here alone; everything else is given it. */
const machine = /^(?:src\/runtime\/|storage\/files[^/]*\.ts$)/
const touches: Record<string, RegExp> = {
  'the clock': /\bnew Date\b|\bDate\.|\bDate\(|\bperformance\.now\b|\bprocess\.hrtime\b/,
  timers: /\b(?:setTimeout|setInterval|setImmediate)\b|['"]node:timers/,
  chance: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|FillSync)\b/,
  files: /['"](?:node:)?fs(?:\/promises)?['"]/,
  sockets: /['"](?:node:)?(?:net|dgram|tls|http)['"]/,
}

/** Longer than 400 lines, each with its reason. */
const longFiles: Record<string, string> = {}

/** Classes with a parent that is no Error, each with its reason. */
const inheriting: Record<string, string> = {}

const sources = ['protocol', 'storage', 'src'].flatMap(folder => filesIn(folder)).filter(path => path.endsWith('.ts'))
const everything = [
  ...sources,
  ...['tests', 'scripts', 'compat', 'bench', 'examples'].flatMap(folder => filesIn(folder)),
].filter(path => /\.[jt]s$/.test(path))

function filesIn(folder: string): string[] {
  const names = readdirSync(root).includes(folder.split('/')[0]!)
    ? readdirSync(join(root, folder), { withFileTypes: true })
    : []
  return names.flatMap(entry => {
    const path = `${folder}/${entry.name}`
    if (entry.name === 'node_modules') return []
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

const text = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The text without comments. */
const code = (path: string): string =>
  text(path)
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/(^|\s)\/\/.*$/gm, '$1')

const layerOf = (path: string): string | undefined =>
  /^src\/[^/]+\.ts$/.test(path) ? 'src/index.ts' : Object.keys(layers).find(layer => path.startsWith(`${layer}/`))

function imports(path: string): string[] {
  const found = code(path).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)
  return [...found].map(match => match[1]!)
}

/** What breaks a rule, as `path: what`, so that a failure names it. */
const offences = (paths: readonly string[], find: (path: string) => readonly string[]): string[] =>
  paths.flatMap(path => find(path).map(what => `${path}: ${what}`))

describe('imports', () => {
  test('every source file belongs to a layer', () => {
    expect(sources.length).toBeGreaterThan(0)
    expect(sources.filter(path => layerOf(path) === undefined)).toEqual([])
  })

  test('a layer imports only the layers below it', () => {
    const found = offences(sources, path =>
      imports(path)
        .filter(target => target.startsWith('.'))
        .map(target => normalize(join(dirname(path), target)).replaceAll('\\', '/'))
        .filter(target => {
          const [from, to] = [layerOf(path), layerOf(target)]
          return from !== to && (to === undefined || !layers[from!]!.includes(to))
        })
        .map(target => `imports ${target}`),
    )
    expect(found).toEqual([])
  })

  test('relative imports carry the extension .ts', () => {
    const found = offences(sources, path =>
      imports(path).filter(target => target.startsWith('.') && !target.endsWith('.ts')),
    )
    expect(found).toEqual([])
  })

  test('packages are those of package.json, loaded where they are declared', () => {
    const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Record<string, string> }
    const found = offences(sources, path =>
      imports(path)
        .filter(target => !target.startsWith('.') && !target.startsWith('node:'))
        .filter(target => !Object.keys(dependencies).some(name => target === name || target.startsWith(`${name}/`))),
    )
    expect(found).toEqual([])
  })
})

describe('the machine', () => {
  for (const [what, pattern] of Object.entries(touches)) {
    test(`only the runtime touches ${what}`, () => {
      const outside = sources.filter(path => !machine.test(path))
      expect(offences(outside, path => (pattern.test(code(path)) ? [what] : []))).toEqual([])
    })
  }
})

describe('files', () => {
  test('have at most 400 lines, message definitions excepted', () => {
    const long = everything
      .filter(path => !path.startsWith('protocol/messages/') && !Object.hasOwn(longFiles, path))
      // A list of cases may be longer than a thought.
      .filter(path => text(path).split('\n').length - 1 > (path.endsWith('.test.ts') ? 600 : 400))
    expect(long).toEqual([])
    const shortAgain = Object.keys(longFiles).filter(path => text(path).split('\n').length - 1 <= 400)
    expect(shortAgain).toEqual([])
  })

  test('begin with a comment that says what they are', () => {
    const bare = everything.filter(path => !/^(?:#!.*\n)?(?:\/\/|\/\*)/.test(text(path)))
    expect(bare).toEqual([])
  })

  test('leave nothing to be done later', () => {
    // Written in parts, so that this file keeps the rule.
    const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].map(mark => `\\b${mark}\\b`).join('|'))
    expect(everything.filter(path => marks.test(text(path)))).toEqual([])
  })

  test('export by name only', () => {
    expect(sources.filter(path => /^export default\b/m.test(code(path)))).toEqual([])
  })

  test('have classes without parents, errors excepted', () => {
    const found = offences(sources, path =>
      [...code(path).matchAll(/\bclass (\w+)(?:<[^{]*?>)? extends (\w+)/g)]
        .filter(([, name, parent]) => !parent!.endsWith('Error') && !Object.hasOwn(inheriting, `${path}#${name}`))
        .map(([, name, parent]) => `${name} extends ${parent}`),
    )
    expect(found).toEqual([])
  })
})
