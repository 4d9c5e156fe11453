/** What makes the built amux start fast. Each part may stop applying to a newer package without harm. */
import type { Plugin } from 'esbuild'
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'

const importing = /(^|;)\s*import\s*(?!type\b)(\{[^}]*\}|[\w$]+|\*\s*as\s+[\w$]+)\s*from\s*(['"])(node:[\w/]+)\3;?/gm

/**
 * An ESM import of a built-in evaluates every one of its exports, which for `node:fs` loads all stream code and for
 * `node:http` a whole fetch: 4 and 21 ms. Taken out of the module as an object, only what is named is evaluated.
 */
export const builtins: Plugin = {
  name: 'builtins',
  setup(build) {
    build.onLoad({ filter: /\.(ts|m?js)$/, namespace: 'file' }, ({ path }) => ({
      contents: sorted(path, readFileSync(path, 'utf8').replace(importing, (_, before: string, names: string, _quote, from: string) => `${before}${taken(names, from)};`)),
      loader: extname(path) === '.ts' ? 'ts' : 'js',
    }))
  },
}

/** `{ a, type B, c as d }`, a default or a namespace import, as a statement. */
function taken(names: string, from: string): string {
  const module = `globalThis.process.getBuiltinModule('${from}')`
  const list = /^\{(.*)\}$/s.exec(names)?.[1]
  if (list === undefined) return `const ${names.replace(/^\*\s*as\s+/, '')} = ${module}`
  const values = list.split(',').map((name) => name.trim()).filter((name) => name !== '' && !name.startsWith('type '))
  if (from === 'node:crypto') return values.map((name) => late(name, module)).join(';')
  return `const { ${values.map((name) => name.replace(/\s+as\s+/, ': ')).join(', ')} } = ${module}`
}

/** Cryptography takes 4 ms to load and few commands need it: its functions load it when called. */
function late(name: string, module: string): string {
  const [original, local = original] = name.split(/\s+as\s+/)
  return `const ${local} = (...args) => ${module}.${original}(...args)`
}

/** oclif sorts ids; the first comparison by language loads the tables of all of them, in 5 ms. */
function sorted(path: string, code: string): string {
  if (!path.includes('/@oclif/core/')) return code
  return code.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)')
}

/** Functions that oclif loads at each start and calls only where there is no manifest, for help, or never. */
const seldom: readonly { readonly module: RegExp; readonly names: readonly string[] }[] = [
  { module: /^tinyglobby$/, names: ['glob'] },
  { module: /^minimatch$/, names: ['minimatch'] },
  { module: /^ejs$/, names: ['render'] },
  { module: /^\.\/handle$/, names: ['handle'] },
]

/** Loads such a module when one of its functions is first called. */
export const lazy: Plugin = {
  name: 'lazy',
  setup(build) {
    for (const { module, names } of seldom) {
      build.onResolve({ filter: module }, async ({ path, kind, resolveDir, importer, pluginData }) => {
        if (pluginData === 'real' || kind !== 'require-call' || !importer.includes('/@oclif/core/')) return undefined
        const real = await build.resolve(path, { kind, resolveDir, importer, pluginData: 'real' })
        return { path: real.path, namespace: 'lazy', pluginData: names }
      })
    }
    build.onLoad({ filter: /./, namespace: 'lazy' }, ({ path, pluginData }) => {
      const load = `require(${JSON.stringify(path)})`
      const names = pluginData as readonly string[]
      return { contents: names.map((name) => `exports.${name} = (...args) => ${load}.${name}(...args)`).join('\n'), resolveDir: '/' }
    })
  },
}

/** The hot way in is built by itself. */
export const apart: Plugin = {
  name: 'apart',
  setup(build) {
    build.onResolve({ filter: /^\.\/fast\.ts$/ }, ({ importer }) => (importer.endsWith('/src/start.ts') ? { path: './fast.js', external: true } : undefined))
  },
}

/** oclif asks at each start whether this is Windows' Linux, to name the platform; what it asks loads half a dozen files. */
export const plainPlatform: Plugin = {
  name: 'plain-platform',
  setup(build) {
    build.onResolve({ filter: /^wsl-utils$/ }, ({ path }) => ({ path, namespace: 'plain-platform' }))
    build.onLoad({ filter: /./, namespace: 'plain-platform' }, () => ({ contents: 'export const isWsl = false; export const powerShellPath = async () => "powershell.exe"' }))
  },
}

/** Parts of dockerode that amux never calls, and half a second of its loading: its own ssh, and BuildKit over gRPC. */
const unused = /^\.\/(ssh|session|buildkit)$/

/** They are left out, with the native code that they bring. */
export const withoutUnused: Plugin = {
  name: 'without-unused',
  setup(build) {
    build.onResolve({ filter: unused }, ({ path, importer }) => (/\/(dockerode|docker-modem)\//.test(importer) ? { path, namespace: 'unused' } : undefined))
    build.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({ contents: `module.exports = () => { throw new Error('amux is built without dockerode ${path}') }`, loader: 'js' }))
  },
}
