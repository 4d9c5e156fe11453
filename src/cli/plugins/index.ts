import type { Command } from '@oclif/core/command'

/** Readies a command that is not amux's own. Returns its arguments as it wants them. */
export async function prepare(command: Command.Loadable, argv: readonly string[]): Promise<readonly string[]> {
  throwOn(await command.load())
  if (command.pluginName !== '@oclif/plugin-plugins' || !/^plugins:(install|add|update)$/.test(command.id)) return argv
  const { prepareInstall } = await import('./install.ts')
  return prepareInstall(argv)
}

/** With `--json` oclif prints a failure in its own words and goes on: let it reach us instead. */
function throwOn(command: { readonly prototype?: object }): void {
  if (!command.prototype) return
  Object.assign(command.prototype, {
    catch: (error: unknown) => {
      throw error
    },
  })
}
