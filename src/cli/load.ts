import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config, Plugin } from '@oclif/core/config'
import { settings } from '@oclif/core/settings'
import { paths } from '../config/index.ts'
import { fail } from '../errors/index.ts'
import { type UserPlugin, userPlugins } from '../registry/index.ts'

export interface LoadOptions {
  /** amux's own package. */
  readonly root: string
  /** Look at the built files rather than at the manifest. */
  readonly development: boolean
}

export interface Loaded {
  readonly config: Config
  /** Plugins of the user whose commands could not all be loaded. */
  readonly broken: readonly string[]
}

/** A plugin without a manifest is run to be loaded: it gets this long. */
const LIMIT = 2000

// What is published is run, also where a plugin is linked: oclif would look for its TypeScript, and warn of finding none.
settings.enableAutoTranspile = false

/** amux's own commands. */
export async function loadOwn(options: LoadOptions): Promise<Loaded> {
  return { config: await configure(options, { userPlugins: false }), broken: [] }
}

/** The user's plugins too, each on its own: one that hangs or fails takes no other with it. */
export async function loadAll(options: LoadOptions): Promise<Loaded> {
  const { root, development } = options
  const own = new Plugin({ root, isRoot: true, ignoreManifest: development })
  const wanted = userPlugins(paths().data)
  const [, ...loaded] = await Promise.all([own.load(), ...wanted.map(loadPlugin)])
  const plugins = [own, ...loaded.filter((plugin) => plugin !== undefined)]
  const config = await configure(options, { plugins: new Map(plugins.map((plugin) => [plugin.name, plugin])) })
  return { config, broken: wanted.filter((_, index) => !whole(loaded[index])).map(({ name }) => name) }
}

/** oclif leaves out a command whose file throws. */
function whole(plugin: Plugin | undefined): boolean {
  return plugin !== undefined && plugin.commandIDs.length === plugin.commands.length
}

async function loadPlugin({ name, root, linked }: UserPlugin): Promise<Plugin | undefined> {
  const plugin = new Plugin({ name, root, type: linked ? 'link' : 'user' })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, LIMIT, undefined)
  })
  const loaded = plugin.load().then(
    () => plugin,
    () => undefined,
  )
  const first = await Promise.race([loaded, late])
  clearTimeout(timer)
  return first
}

async function configure({ root, development }: LoadOptions, more: Partial<ConstructorParameters<typeof Config>[0]>): Promise<Config> {
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Config['pjson']
  const config = new Config({ root, pjson, ignoreManifest: development, devPlugins: false, ...more })
  // What oclif would warn of is a finding of `provider ls` and `doctor`, not of every command.
  Object.assign(config, { warned: true })
  await config.load()
  if (config.valid) return config
  throw fail('internal', `${root} is not an amux package`)
}
