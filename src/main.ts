// Nearly every command stands on it: named here, it is built into the same few files.
import './cli/index.ts'
import { paths } from './config/index.ts'
import { fail } from './errors/index.ts'
import { type FailureContext, debugging, report } from './cli/failure.ts'
import { type FindOptions, type Found, find } from './cli/find.ts'
import { rewrite } from './cli/rewrite.ts'
import { unknownCommand } from './cli/unknown.ts'
import { translate } from './cli/usage.ts'
import { wantsHelp } from './cli/wants-help.ts'
import { flushed, watchOutput } from './cli/written.ts'

/** The ordinary way in. Never rejects; ends the process with the command's status. */
export async function main(options: FindOptions): Promise<void> {
  process.once('beforeExit', () => process.exit(report(fail('internal', 'waited for something that cannot come'), { json: false, passThrough: false })))
  watchOutput()
  const status = await run(options)
  const problem = await flushed()
  // What a plugin left running must not hold the terminal.
  process.exit(problem === undefined || status !== 0 ? status : report(problem, { json: false, passThrough: false }))
}

async function run(options: FindOptions): Promise<number> {
  prepare()
  const argv = rewrite(options.argv)
  let found: Found | undefined
  process.on('uncaughtException', (error) => {
    process.exit(failed(fail('internal', error.message, { hint: 'Run it again with DEBUG=amux to see more.', cause: error }), found, argv))
  })
  try {
    found = await find({ ...options, argv })
    return wantsHelp(found) ? await help(found, argv) : await execute(found, argv)
  } catch (error) {
    return failed(error, found, argv)
  }
}

async function help(found: Found, argv: readonly string[]): Promise<number> {
  const { showHelp } = await import('./cli/help.ts')
  await showHelp(found, argv, context(argv, false).json)
  return 0
}

async function execute(found: Found, argv: readonly string[]): Promise<number> {
  const { config, command, rest } = found
  if (!command) throw unknownCommand(found, argv)
  const foreign = command.pluginName !== config.name || /^(plugins:|autocomplete(:|$))/.test(command.id)
  const plugins = foreign ? await import('./cli/plugins/index.ts') : undefined
  const own = plugins ? await plugins.prepare(command, rest) : rest
  const result: unknown = await config.runCommand(command.id, [...own], command)
  await plugins?.conclude(command, own, config.root)
  return typeof result === 'number' ? result : Number(process.exitCode ?? 0)
}

function prepare(): void {
  // oclif and its plugin manager find their directories where ours are.
  const { config, data, cache } = paths()
  Object.assign(process.env, { AMUX_CONFIG_DIR: config, AMUX_DATA_DIR: data, AMUX_CACHE_DIR: cache })
  // Warnings of Node and oclif are for developers.
  if (!debugging()) process.removeAllListeners('warning')
}

/** Commands of amux's own report their failures themselves: these are a plugin's, or come before any command. */
function failed(error: unknown, found: Found | undefined, argv: readonly string[]): number {
  const asked = exitRequest(error)
  if (asked !== undefined) return asked
  const command = found?.command
  const usage = { command: ['amux', ...(command?.id.split(':') ?? [])].join(' '), flags: Object.keys(command?.flags ?? {}) }
  return report(translate(error, usage), context(argv, command?.['passThrough'] === true))
}

function context(argv: readonly string[], passThrough: boolean): FailureContext {
  const cut = argv.indexOf('--')
  return { json: (cut < 0 ? argv : argv.slice(0, cut)).includes('--json'), passThrough }
}

/** A plugin's command that called oclif's `exit`. */
function exitRequest(error: unknown): number | undefined {
  const asked = error instanceof Error && 'code' in error && error.code === 'EEXIT' && 'oclif' in error ? error.oclif : undefined
  return asked instanceof Object && 'exit' in asked && typeof asked.exit === 'number' ? asked.exit : undefined
}
