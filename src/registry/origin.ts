import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { paths } from '../config/index.ts'
import { type PluginRef, userPlugins } from './installed.ts'
import { packageOf } from './known.ts'

/** Notes where a provider came from, so that a computer whose plugin is gone can say how to get it back. */
export function noteOrigin(id: string, plugin: PluginRef): void {
  if (plugin.bundled) return
  const file = fileOf(id)
  const command = installation(plugin)
  try {
    if (read(file) === command) return
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${command}\n`, { mode: 0o600 })
  } catch {
    // A hint is not worth failing for.
  }
}

/** The command that installs a provider, when it was here before or is a known one. */
export function installCommand(id: string): string | undefined {
  const name = packageOf(id)
  return read(fileOf(id)) ?? (name === undefined ? undefined : `amux plugins install ${name}`)
}

function installation({ name, root }: PluginRef): string {
  const plugin = userPlugins(paths().data).find((one) => one.name === name)
  if (plugin?.linked === true) return `amux plugins link ${root}`
  return `amux plugins install ${plugin?.url?.replace(/^file:/, '') ?? name}`
}

function fileOf(id: string): string {
  return join(paths().state, 'plugins', id)
}

/** Only what this writes: the text goes to a terminal, for people to run. */
function read(file: string): string | undefined {
  try {
    return /^(amux plugins (?:install|link) [^\p{Cc}]+)\n$/u.exec(readFileSync(file, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
