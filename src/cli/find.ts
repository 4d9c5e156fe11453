import type { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'
import { type LoadOptions, type Loaded, loadAll, loadOwn } from './load.ts'

export interface Found extends Loaded {
  readonly words: readonly string[]
  readonly command?: Command.Loadable
  /** What follows the command's words, exactly as typed. */
  readonly rest: readonly string[]
}

export interface FindOptions extends LoadOptions {
  readonly argv: readonly string[]
}

/** Commands that are about the plugins there are. */
const about = /^(plugins|autocomplete)(:|$)/

/**
 * Finds the command by its words. One of amux's own is found without looking at any plugin; only when there is none are
 * plugins loaded. (oclif's own way loads all of them each time, and takes arguments for words of the command.)
 */
export async function find(options: FindOptions): Promise<Found> {
  const { argv } = options
  const words = leading(argv)
  const own = words.length === 0 ? undefined : await loadOwn(options)
  const direct = own && match(own.config, words)
  if (own && direct && !about.test(direct.command.id)) return { ...own, words, command: direct.command, rest: argv.slice(direct.length) }
  const all = await loadAll(options)
  const other = match(all.config, words)
  return { ...all, words, ...(other ? { command: other.command } : {}), rest: argv.slice(other?.length ?? words.length) }
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
