import type { Command } from '@oclif/core/command'
import type { Found } from './find.ts'
import { deepestTopic } from './unknown.ts'
import { globals } from './rewrite.ts'
import { type FlagTable, ownLength } from './verbs/argv.ts'

/** Whether what was typed asks for help: with a flag, or by naming a topic, or nothing. */
export function wantsHelp({ config, command, words, rest }: Found): boolean {
  const cut = rest.indexOf('--')
  const own = cut < 0 ? rest : rest.slice(0, cut)
  // What follows the first word may be a program's own: `amux computer exec ls --help`.
  const flags = command?.strict === false && command['passThrough'] === true ? own.slice(0, ownLength(tableOf(command), own)) : own
  if (flags.includes('--help') || flags.includes('-h')) return true
  return command === undefined && own.every((word) => globals.has(word)) && own.length === rest.length && deepestTopic(config, words).length === words.length
}

function tableOf({ flags }: Command.Loadable): FlagTable {
  const entries = Object.entries(flags).map(([name, { char, type }]) => [name, { kind: type === 'boolean' ? 'switch' : 'value', summary: '', ...(char !== undefined && { char }) }] as const)
  return Object.fromEntries(entries)
}
