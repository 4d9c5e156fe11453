import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root, Scratch } from './amux.ts'

const run = promisify(execFile)
const npm = join(root, 'node_modules/npm/bin/npm-cli.js')

/** Source of a hook that registers a provider which has no computers. */
export function registering(id: string, more = ''): string {
  return `export default async () => ({
    apiVersion: 1, id: ${JSON.stringify(id)}, title: ${JSON.stringify(`Test ${id}`)}, capabilities: { disk: { fidelity: 'native' } },
    async connect() {
      return {
        async create() { throw Object.assign(new Error('no room'), { code: 'quota_exceeded' }) },
        async get(name) { throw Object.assign(new Error('no computer ' + name), { code: 'not_found' }) },
        async *list() {},
        async health() { return { ok: true, message: 'well' } },
      }
    },
    ${more}
  })\n`
}

/** The same, with computers that are made at once and do nothing. */
export function keeping(id: string): string {
  return registering(id, `
    async connect() {
      const made = new Map()
      const computer = (name, labels, workspace) => ({ name, async info() { return { name, state: 'stopped', createdAt: new Date().toISOString(), labels, workspace } }, async start() {}, async stop() {}, async delete() {}, async spawn() { throw new Error('no') } })
      return {
        async create({ name, labels, project }) { made.set(name, computer(name, labels, project.path)); return made.get(name) },
        async get(name) { if (made.has(name)) return made.get(name); throw Object.assign(new Error('no computer ' + name), { code: 'not_found' }) },
        async *list() { for (const one of made.values()) yield one.info() },
        async health() { return { ok: true, message: 'well' } },
      }
    },`)
}

export interface PluginSource {
  readonly name: string
  readonly hook: string
  readonly version?: string
}

/** A plugin as a stranger would write it, in a directory. Returns that directory. */
export async function writePlugin(parent: string, { name, hook, version = '1.0.0' }: PluginSource): Promise<string> {
  const directory = join(parent, name.replaceAll('/', '-'))
  const manifest = { name, version, type: 'module', files: ['hook.js', 'oclif.manifest.json'], oclif: { hooks: { 'amux:provider': './hook.js' } } }
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(directory, 'hook.js'), hook)
  await writeFile(join(directory, 'oclif.manifest.json'), JSON.stringify({ commands: {}, version }))
  return directory
}

/** What its author publishes: a tarball. Returns its path. */
export async function packPlugin(parent: string, source: PluginSource): Promise<string> {
  const directory = await writePlugin(parent, source)
  const { stdout } = await run(process.execPath, [npm, 'pack', '--json', '--pack-destination', parent], { cwd: directory })
  return join(parent, packed(stdout))
}

/** npm 11 answers a list, npm 12 a table by name. */
function packed(json: string): string {
  const answer = JSON.parse(json) as Record<string, { filename: string }> | { filename: string }[]
  const [first] = Object.values(answer)
  if (!first) throw new Error('npm packed nothing')
  return first.filename
}

/** Installed without npm: as if `amux plugins link` had been run. */
export async function linkPlugins(home: string, sources: readonly PluginSource[]): Promise<void> {
  const folder = join(home, 'data/linked')
  await linkFolders(home, Object.fromEntries(await Promise.all(sources.map(async (source) => [source.name, await writePlugin(folder, source)] as const))))
}

/** The same of packages that are there: where each one is, by its name. */
export async function linkFolders(home: string, folders: Readonly<Record<string, string>>): Promise<void> {
  const data = join(home, 'data')
  const plugins = Object.entries(folders).map(([name, at]) => ({ name, type: 'link', root: at }))
  await mkdir(data, { recursive: true })
  await writeFile(join(data, 'package.json'), JSON.stringify({ private: true, oclif: { schema: 1, plugins } }))
}

/** An amux with one of ours that is no part of it, as built. */
export async function scratchWith(provider: 'docker' | 'sprites'): Promise<Scratch> {
  const scratch = await Scratch.make()
  await linkFolders(scratch.home, { [`@amux/provider-${provider}`]: join(root, `plugins/provider-${provider}`) })
  return scratch
}
