import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { paths } from '../../config/index.ts'
import { discoverPlugins } from '../../registry/index.ts'
import { writeAtomic } from '../../util/atomic.ts'
import { loadAll } from '../load.ts'
import { bashCompletion } from './bash-completion.ts'

/** Puts amux's own script for bash in the place of the one the completion plugin wrote, where it wrote one. */
export async function refreshCompletion(root: string): Promise<void> {
  const file = join(paths().cache, 'autocomplete', 'functions', 'bash', 'amux.bash')
  if (!existsSync(file)) return
  const [{ config }, { providers }] = await Promise.all([loadAll({ root, development: false }), discoverPlugins(root)])
  await writeAtomic(file, bashCompletion(config, providers.map(({ descriptor }) => descriptor.id)))
}
