import type { Interfaces } from '@oclif/core'
import { string as word } from '@oclif/core/args'
import type { Config } from '@oclif/core/config'
import { boolean, string } from '@oclif/core/flags'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { providerDirectory } from '../../config/index.ts'
import type { CommandArg, CommandCall, CommandFlag, PluginCommand } from '../../contract/index.ts'
import { AmuxCommand } from '../base.ts'

/** oclif says which one it runs. */
type Run = PluginCommand & { readonly id?: string }

/** A plugin's command as one of amux's own: the same flags, errors, statuses and interrupts. */
export async function runPluginCommand(definition: Run, argv: readonly string[], config: Config): Promise<number> {
  // Their kinds are only known at run time.
  const flags = mapped(definition.flags, flagOf) as unknown as Interfaces.FlagInput
  const args = mapped(definition.args, argOf)
  class PluginCall extends AmuxCommand {
    static override id = definition.id ?? ''
    static override examples = [...(definition.examples ?? [])]
    static override flags = flags
    static override args = args
    async execute(): Promise<number | void> {
      const parsed = await this.parse({ flags, args, baseFlags: PluginCall.baseFlags, enableJsonFlag: false })
      return definition.execute(call(this, parsed.args, parsed.flags))
    }
  }
  return PluginCall.run([...argv], config)
}

function call(command: AmuxCommand, args: CommandCall['args'], flags: CommandCall['flags']): CommandCall {
  const { out, amux, signal } = command
  return {
    args,
    flags,
    rest: command.remote,
    signal,
    json: out.json,
    data: (document, text) => out.data(document, text),
    event: (document, text) => out.event(document, text),
    table: (rows, columns, { empty } = {}) => out.table(rows, columns, { name: Object.values(columns)[0] ?? (() => undefined), ...(empty !== undefined && { empty }) }),
    write: (bytes) => out.bytes(bytes),
    note: (text) => out.note(text),
    progress: (text) => out.progress(text),
    confirm: (question) => command.confirm(question),
    computer: (selection, options) => amux.computer(selection, options),
    provider: (id) => amux.registry.connect(id),
    settings: (id) => amux.registry.valuesOf(id),
    async dataDir(id) {
      const directory = providerDirectory(id)
      await mkdir(directory, { recursive: true, mode: 0o700 })
      return directory
    },
    amux: [process.execPath, join(amux.root, 'bin/run.js')],
  }
}

function flagOf({ type, multiple = false, ...rest }: CommandFlag) {
  // Every one-letter name is one of oclif's, which types them as a list of letters.
  const common = rest as Omit<typeof rest, 'char'> & { readonly char?: 'c' }
  if (type === 'boolean') return boolean(common)
  return multiple ? string({ ...common, multiple, multipleNonGreedy: true }) : string(common)
}

function argOf({ description, required = false }: CommandArg) {
  return word({ description, required, ignoreStdin: true })
}

function mapped<T, R>(table: Readonly<Record<string, T>> | undefined, one: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(table ?? {}).map(([name, value]) => [name, one(value)]))
}
