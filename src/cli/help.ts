import type { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'
import { Help } from '@oclif/core/help'
import { json } from '../util/text.ts'
import type { Found } from './find.ts'
import { unknownCommand } from './unknown.ts'

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

export async function showHelp(found: Found, argv: readonly string[], asJson: boolean): Promise<void> {
  if (asJson) process.stdout.write(`${json(found.command ? commandPage(found.command, found.config) : topicPage(found, argv), 2)}\n`)
  else await new Pages(found.config, options(found.config)).page(found, argv)
}

function options(config: Config): ConstructorParameters<typeof Help>[1] {
  return config.pjson.oclif.helpOptions ?? {}
}

/** A topic and everything below it. */
function topicPage(found: Found, argv: readonly string[]): unknown {
  const { config, words } = found
  const id = words.join(':')
  const topic = id === '' ? undefined : config.findTopic(id)
  if (id !== '' && !topic) throw unknownCommand(found, argv)
  const inside = config.commands.filter((command) => !command.hidden && (id === '' || command.id.startsWith(`${id}:`)))
  const commands = inside.map((command) => ({ command: typed(config, command.id), summary: summary(command, config) }))
  return { topic: typed(config, id), summary: topic?.description ?? config.pjson['description'], commands: commands.toSorted((a, b) => (a.command < b.command ? -1 : 1)) }
}

function commandPage(command: Command.Loadable, config: Config): unknown {
  const { id, aliases, description, args, flags, examples = [] } = command
  const shown = Object.values(flags).filter(({ hidden }) => hidden !== true)
  return {
    command: typed(config, id),
    aliases: aliases.map((alias) => typed(config, alias)),
    summary: summary(command, config),
    description: filled(description, command, config),
    args: Object.values(args).map(({ name, required = false, description }) => ({ name, required, description })),
    flags: shown.map(({ name, char, type, summary, description }) => ({ name, char, takesValue: type === 'option', summary: summary ?? description })),
    examples: examples.map((example) => filled(typeof example === 'string' ? example : example.command, command, config)),
  }
}

function summary(command: Command.Loadable, config: Config): string | undefined {
  return filled(command.summary ?? command.description?.split('\n')[0], command, config)
}

function filled(text: string | undefined, { id }: Command.Loadable, { bin }: Config): string | undefined {
  return text?.replaceAll(/<%= *config\.bin *%>/g, bin).replaceAll(/<%= *command\.id *%>/g, id.replaceAll(':', ' ')).replaceAll(/<%-? .*?["'](\w+)["'].*?%>/g, '$1')
}

function typed({ bin }: Config, id: string): string {
  return [bin, ...id.split(':').filter((word) => word !== '')].join(' ')
}
