import type { Config } from '@oclif/core/config'
import { runPluginCommand } from '../cli/plugins/command.ts'
import type { RunPluginCommand } from '../contract/index.ts'

/** `amux:core`: what a plugin's own commands are run with. */
export default async function core({ config }: { readonly config: Config }): Promise<RunPluginCommand> {
  return (command, argv) => runPluginCommand(command, argv, config)
}
