import type { ComputerInfo, EquippedComputer } from './computer.ts'
import type { CreateOptions, Health } from './provider.ts'

/** A flag of a plugin's own command. `--json`, `-q`, `-y` and `--timeout` every command has. */
export interface CommandFlag {
  readonly type: 'boolean' | 'option'
  readonly summary: string
  /** One letter. */
  readonly char?: string
  /** How its value is called in help. */
  readonly helpValue?: string
  readonly required?: boolean
  /** Given more than once it is a list. */
  readonly multiple?: boolean
}

export interface CommandArg {
  readonly description: string
  readonly required?: boolean
}

/** A provider whose failures are ours and whose computers lack nothing. */
export interface EquippedProvider {
  readonly id: string
  create(options: CreateOptions): Promise<EquippedComputer>
  get(name: string): Promise<EquippedComputer>
  list(): AsyncIterable<ComputerInfo>
  health(): Promise<Health>
}

/** One call of a plugin's command. */
export interface CommandCall {
  readonly args: Readonly<Record<string, string | undefined>>
  /** `true` or absent for a `boolean`, text for an `option`, a list of texts for a `multiple` one. */
  readonly flags: Readonly<Record<string, unknown>>
  /** What stands after the first `--`, exactly as typed. */
  readonly rest: readonly string[] | undefined
  /** Fires on Ctrl-C, a termination and the time limit. Its reason is the error to throw. */
  readonly signal: AbortSignal
  readonly json: boolean
  /** The result on stdout: the document with `--json`, else the text. */
  data(document: unknown, text: () => string): void
  /** One of many, as it happens: a line. */
  event(document: object, text: string): void
  table<T>(rows: readonly T[], columns: Readonly<Record<string, (row: T) => string | number | undefined>>, options?: { readonly empty?: string }): void
  /** Bytes on stdout; resolves when they were taken. */
  write(bytes: Uint8Array): Promise<void>
  /** To stderr, not with `-q`. */
  note(text: string): void
  /** What takes time. */
  progress(text: string): void
  /** Asks, unless `--yes`; throws `confirmation_required` where nobody can be asked. */
  confirm(question: string): Promise<void>
  /** This project's computer, or the one that `-c` names, on the provider given. */
  computer(selection: { readonly computer?: string | undefined; readonly provider?: string | undefined }, options?: { readonly start?: boolean }): Promise<EquippedComputer>
  provider(id: string): Promise<EquippedProvider>
  /** A provider's settings by key, secrets among them. `credential_missing`. */
  settings(id: string): Promise<Readonly<Record<string, string>>>
  /** A durable directory of a provider's own on this machine, 0700. */
  dataDir(id: string): Promise<string>
  /** What starts amux again: a program and its first arguments. */
  readonly amux: readonly string[]
}

/** A command that a plugin brings: the default export of a file below its `commands`. */
export interface PluginCommand {
  readonly summary: string
  readonly description?: string
  readonly examples?: readonly string[]
  readonly args?: Readonly<Record<string, CommandArg>>
  readonly flags?: Readonly<Record<string, CommandFlag>>
  /** Errors are thrown as `AmuxError`s: objects with a `code`. Returns the exit status if it is not 0. */
  execute(call: CommandCall): Promise<number | void>
}

/**
 * What oclif runs of it. In a command's file:
 * `export default { ...command, run: async (argv, config) => (await config.runHook('amux:core', {})).successes[0].result(command, argv) }`.
 */
export type RunPluginCommand = (command: PluginCommand, argv: readonly string[]) => Promise<number>
