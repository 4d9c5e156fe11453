import type { Command } from '@oclif/core/command'
import { fail } from '../../errors/index.ts'

const installs = /^plugins:(install|add|update|link)$/

/** Readies a command that is not written for amux: a plugin's, or the plugin manager's. Returns its arguments as it wants them. */
export async function prepare(command: Command.Loadable, argv: readonly string[]): Promise<readonly string[]> {
  const { prototype } = (await command.load()) as { readonly prototype?: object }
  if (prototype && !('execute' in prototype)) throwOn(prototype)
  if (!command.id.startsWith('plugins:')) return argv
  const { quieten } = await import('./chatter.ts')
  if (!argv.some((word) => ['-v', '--verbose'].includes(word))) quieten()
  if (!installs.test(command.id)) return argv
  const { prepareInstall, prepareLink } = await import('./install.ts')
  return command.id === 'plugins:link' ? prepareLink(argv) : prepareInstall(argv)
}

/** Completes what was asked for: the shell's completion knows new commands, and what was installed works. */
export async function conclude({ id }: Command.Loadable, argv: readonly string[], root: string): Promise<void> {
  if (/^autocomplete(:create)?$|^plugins:(install|add|update|uninstall|unlink|remove|link)$/.test(id)) await (await import('./refresh.ts')).refreshCompletion(root)
  if (!installs.test(id)) return
  const { checkInstalled } = await import('./install.ts')
  await checkInstalled(argv, root)
}

/** With `--json` oclif prints a failure in its own words and goes on, and says nothing of some: let it reach us instead. */
function throwOn(prototype: object): void {
  Object.assign(prototype, {
    catch: (error: unknown) => {
      throw explained(error)
    },
  })
}

/** The plugin manager reports npm's whole command line; what npm said is on the terminal already. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = /npm-cli\.js .* exited with code (\d+)$/s.exec(error.message)?.[1]
  if (code !== undefined) return fail('failed', `npm failed with status ${code}`, { hint: 'What it said is above. Everything: AMUX_NPM_LOG_LEVEL=verbose', cause: error })
  if (error.message === 'plugin is invalid') return fail('failed', 'it is a package, but no plugin: its package.json has no "oclif"', { hint: 'A plugin names its hooks or commands there.', cause: error })
  return error
}
