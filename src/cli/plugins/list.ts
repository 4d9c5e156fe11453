import { paths } from '../../config/index.ts'
import { type UserPlugin, discoverPlugins, userPlugins } from '../../registry/index.ts'
import { loadAll } from '../load.ts'

export interface ListedPlugin {
  readonly name: string
  readonly version: string
  /** Ids of the providers it registers. */
  readonly providers: readonly string[]
  /** How many commands it brings. */
  readonly commands: number
  /** A directory or file; undefined for a registry. */
  readonly from: string | undefined
  readonly problem: string | undefined
}

/** What the user installed or linked, whether it works or not. */
export async function pluginList(root: string): Promise<readonly ListedPlugin[]> {
  const [{ providers, broken }, { config, broken: mute }] = await Promise.all([discoverPlugins(root), loadAll({ root, development: false })])
  return userPlugins(paths().data).map((plugin): ListedPlugin => {
    const { name } = plugin
    const loaded = config.plugins.get(name)
    const mine = providers.filter((found) => found.plugin.name === name)
    const failure = broken.find((found) => found.plugin.name === name)?.error.message
    return {
      name,
      version: mine[0]?.plugin.version ?? loaded?.version ?? '',
      providers: mine.map(({ descriptor }) => descriptor.id),
      commands: loaded?.commands.length ?? 0,
      from: origin(plugin),
      problem: failure ?? (mute.includes(name) ? 'its commands cannot all be loaded' : undefined),
    }
  })
}

function origin({ linked, root, url }: UserPlugin): string | undefined {
  return linked ? root : url?.replace(/^file:/, '')
}
