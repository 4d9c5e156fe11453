import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AmuxError } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

/** A package that says it registers providers. */
export interface PluginRef {
  readonly name: string
  readonly version: string
  readonly root: string
  /** Part of amux itself. */
  readonly bundled: boolean
  readonly hooks: readonly HookRef[]
  /** It cannot even be read. */
  readonly problem?: AmuxError
}

export interface HookRef {
  /** Absolute path of the module. */
  readonly file: string
  /** Name of the export. */
  readonly identifier: string
}

export const HOOK = 'amux:provider'

/** Where oclif's plugin manager notes what the user installed or linked. */
interface UserPlugins {
  readonly oclif?: { readonly plugins?: readonly { readonly name: string; readonly type: string; readonly root?: string; readonly url?: string }[] }
}

/** amux's own package first, then the user's plugins by name. Reads one small file for each, loads no code. */
export function installedPlugins(root: string, dataDir: string): PluginRef[] {
  const own = { ...readPlugin('amux', root), bundled: true }
  return [own, ...userPlugins(dataDir).map((plugin) => readPlugin(plugin.name, plugin.root))].filter((plugin) => plugin.hooks.length > 0 || plugin.problem)
}

export interface UserPlugin {
  readonly name: string
  readonly root: string
  /** Used from where its author works on it. */
  readonly linked: boolean
  /** What it was installed from, where that is no registry. */
  readonly url?: string
}

/** By name. */
export function userPlugins(dataDir: string): UserPlugin[] {
  const file = join(dataDir, 'package.json')
  if (!existsSync(file)) return []
  const { oclif } = readJson(file) as UserPlugins
  const plugins = (oclif?.plugins ?? []).flatMap(({ name, type, root: linked, url }) => {
    if (type === 'link' && linked !== undefined) return [{ name, root: linked, linked: true }]
    return type === 'user' ? [{ name, root: join(dataDir, 'node_modules', ...name.split('/')), linked: false, ...(url !== undefined && { url }) }] : []
  })
  return plugins.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function readPlugin(name: string, root: string): PluginRef {
  const about = { name, root, bundled: false }
  try {
    const { version, oclif } = readJson(join(root, 'package.json')) as { version?: string; oclif?: { hooks?: Record<string, unknown> } }
    return { ...about, version: String(version ?? ''), hooks: [oclif?.hooks?.[HOOK] ?? []].flat().map((spec) => hookRef(root, spec)) }
  } catch (error) {
    const problem = fail('provider_broken', `${name}: its package.json cannot be read`, { hint: remedy(about), cause: error })
    return { ...about, version: '', hooks: [], problem }
  }
}

/** What to do about a plugin that does not work. */
export function remedy({ name, bundled }: Pick<PluginRef, 'name' | 'bundled'>): string {
  return bundled ? 'amux itself is damaged: install it again.' : `Update it: amux plugins update. Or remove it: amux plugins uninstall ${name}`
}

/** oclif's two spellings: a path, or a path and the name of an export. */
function hookRef(root: string, spec: unknown): HookRef {
  const { target, identifier } = spec instanceof Object ? (spec as { target?: unknown; identifier?: unknown }) : { target: spec, identifier: undefined }
  const path = join(root, String(target))
  const file = [path, `${path}.js`, `${path}.mjs`, `${path}.cjs`, join(path, 'index.js')].find((candidate) => /\.\w+$/.test(candidate) && existsSync(candidate))
  return { file: file ?? path, identifier: typeof identifier === 'string' ? identifier : 'default' }
}

function readJson(file: string): unknown {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (value instanceof Object) return value
  throw fail('corrupt', `${file} is not a JSON object`)
}
