import type { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'
import { Help } from '@oclif/core/help'
import type { Found } from './find.ts'
import { type FlagTable, ownLength } from './verbs/argv.ts'
import { deepestTopic, unknownCommand } from './unknown.ts'

/** Whether what was typed asks for help: with a flag, or by naming a topic, or nothing. */
export function wantsHelp({ config, command, words, rest }: Found): boolean {
  const cut = rest.indexOf('--')
  const own = cut < 0 ? rest : rest.slice(0, cut)
  // What follows the first word may be a program's own: `amux computer exec ls --help`.
  const flags = command?.strict === false && command['passThrough'] === true ? own.slice(0, ownLength(tableOf(command), own)) : own
  if (flags.includes('--help') || flags.includes('-h')) return true
  return command === undefined && rest.length === 0 && deepestTopic(config, words).length === words.length
}

function tableOf({ flags }: Command.Loadable): FlagTable {
  const entries = Object.entries(flags).map(([name, { char, type }]) => [name, { kind: type === 'boolean' ? 'switch' : 'value', summary: '', ...(char !== undefined && { char }) }] as const)
  return Object.fromEntries(entries)
}

/** oclif's pages, for what was found by our own rules. */
class Pages extends Help {
  async page(found: Found, argv: readonly string[]): Promise<void> {
    const { config, command, words } = found
    if (command) return this.showCommandHelp(command)
    if (words.length === 0) return this.showRootHelp()
    const topic = config.findTopic(words.join(':'))
    if (!topic) throw unknownCommand(found, argv)
    return this.showTopicHelp(topic)
  }
}

export async function showHelp(found: Found, argv: readonly string[]): Promise<void> {
  await new Pages(found.config, options(found.config)).page(found, argv)
}

function options(config: Config): ConstructorParameters<typeof Help>[1] {
  return config.pjson.oclif.helpOptions ?? {}
}
