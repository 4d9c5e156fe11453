import type { Command } from '@oclif/core/command'

/** Readies a command that is not written for amux: a plugin's, or the plugin manager's. Returns its arguments as it wants them. */
export async function prepare(command: Command.Loadable, argv: readonly string[]): Promise<readonly string[]> {
  const { prototype } = (await command.load()) as { readonly prototype?: object }
  if (prototype && !('execute' in prototype)) throwOn(prototype)
  if (!/^plugins:(install|add|update)$/.test(command.id)) return argv
  const { prepareInstall } = await import('./install.ts')
  return prepareInstall(argv)
}

/** With `--json` oclif prints a failure in its own words and goes on: let it reach us instead. */
function throwOn(prototype: object): void {
  Object.assign(prototype, {
    catch: (error: unknown) => {
      throw error
    },
  })
}
