import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '@oclif/core/command'
import { Config } from '@oclif/core/config'
import { fail } from '../errors/index.ts'

export interface Found {
  readonly config: Config
  readonly words: readonly string[]
  readonly command?: Command.Loadable
  /** What follows the command's words, exactly as typed. */
  readonly rest: readonly string[]
}

export interface FindOptions {
  readonly root: string
  readonly argv: readonly string[]
  /** Look at the built files rather than at the manifest. */
  readonly development: boolean
}

/** A user's plugin without a manifest is run to be loaded: it gets this long. */
const LIMIT = 3000

/**
 * Finds the command by its words. One of amux's own is found without looking at any plugin; only when there is none are
 * plugins loaded. (oclif's own way loads all of them each time, and takes arguments for words of the command.)
 */
export async function find(options: FindOptions): Promise<Found> {
  const { argv } = options
  const words = leading(argv)
  const own = words.length === 0 ? undefined : await loadOwn(options)
  const direct = own && match(own, words)
  if (own && direct) return { config: own, words, command: direct.command, rest: argv.slice(direct.length) }
  const all = await loadAll(options)
  const other = match(all, words)
  return { config: all, words, ...(other ? { command: other.command } : {}), rest: argv.slice(other?.length ?? words.length) }
}

/** The words before the first flag. */
function leading(argv: readonly string[]): readonly string[] {
  const end = argv.findIndex((word) => word.startsWith('-'))
  return argv.slice(0, end < 0 ? argv.length : end)
}

function match(config: Config, words: readonly string[]): { command: Command.Loadable; length: number } | undefined {
  for (let length = words.length; length > 0; length--) {
    const command = config.findCommand(words.slice(0, length).join(':'))
    if (command) return { command, length }
  }
  return undefined
}

async function loadOwn({ root, development }: FindOptions): Promise<Config> {
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Config['pjson']
  pjson.oclif.plugins = []
  return load({ root, pjson, ignoreManifest: development, userPlugins: false })
}

async function loadAll({ root, development }: FindOptions): Promise<Config> {
  const options = { root, ignoreManifest: development }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, LIMIT, undefined)
  })
  const all = await Promise.race([load({ ...options, userPlugins: true }), late])
  clearTimeout(timer)
  return all ?? load({ ...options, userPlugins: false })
}

async function load(options: ConstructorParameters<typeof Config>[0]): Promise<Config> {
  const config = new Config({ ...options, devPlugins: false })
  // A plugin that cannot be read is named by `provider ls` and `doctor`, not by every command.
  Object.assign(config, { warned: true })
  await config.load()
  if (config.valid) return config
  throw fail('internal', `${config.root} is not an amux package`)
}
