import type { Command } from '@oclif/core/command'
import { fail } from '../../errors/index.ts'

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
      throw explained(error)
    },
  })
}

/** The plugin manager reports npm's whole command line; what npm said is on the terminal already. */
function explained(error: unknown): unknown {
  const code = error instanceof Error ? /npm-cli\.js .* exited with code (\d+)$/s.exec(error.message)?.[1] : undefined
  return code === undefined ? error : fail('failed', `npm failed with status ${code}`, { hint: 'What it said is above. Everything: AMUX_NPM_LOG_LEVEL=verbose', cause: error })
}
