import type { Config } from '@oclif/core/config'
import { Help } from '@oclif/core/help'
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

export async function showHelp(found: Found, argv: readonly string[]): Promise<void> {
  await new Pages(found.config, options(found.config)).page(found, argv)
}

function options(config: Config): ConstructorParameters<typeof Help>[1] {
  return config.pjson.oclif.helpOptions ?? {}
}
