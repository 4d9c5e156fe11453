import { setTimeout as delay } from 'node:timers/promises'
import { Command } from '@oclif/core/command'
import type { Config } from '@oclif/core/config'
import type { Interfaces } from '@oclif/core'
import { normalise } from '../errors/index.ts'
import { canAsk, confirm } from './confirm.ts'
import { Context } from './context.ts'
import { report } from './failure.ts'
import { type ComputerSelection, globalFlags } from './flags.ts'
import { Interrupt, type Interruption } from './interrupt.ts'
import { Output } from './output.ts'
import { type UsageContext, misused, translate } from './usage.ts'
import { READER_GONE } from './written.ts'

type Table = Record<string, unknown>

/** How long a command may tidy up after it was told to stop. */
const GRACE = 5000
/** How long connections may take to be closed; the process ends anyway. */
const CLOSING = 1000

/**
 * Every command of amux: `execute` does the work and returns the exit status, if it is not 0. What it throws is
 * printed, as JSON if asked for, and becomes the status.
 */
export abstract class AmuxCommand extends Command {
  static override baseFlags = globalFlags
  /** A command that hands a program's status through: its own failures are 125 and go to stderr. */
  static passThrough = false
  /** A command that takes something away: `--yes` does not make it follow a record that somebody else wrote. */
  static destructive = false
  /** What was probably meant by more arguments than it takes. */
  static instead: ((first: string, more: readonly string[]) => string | undefined) | undefined

  /** What stands after the first `--`, exactly as typed. */
  readonly remote: readonly string[] | undefined
  readonly out = new Output()
  readonly amux: Context
  readonly #interrupt = new Interrupt()
  #yes = false
  #selection: ComputerSelection = {}

  /** oclif would load its configuration a second time here. */
  static override async run<T extends Command>(this: new (argv: string[], config: Config) => T, argv: string[], config: Config): Promise<ReturnType<T['run']>> {
    // `_run` is how oclif itself starts a command; it is protected only against subclasses' callers.
    return (new this(argv, config) as unknown as { _run(): Promise<ReturnType<T['run']>> })._run()
  }

  constructor(argv: string[], config: Config) {
    // oclif's parser reorders what follows and drops a second `--`: it never sees it.
    const cut = argv.indexOf('--')
    const own = cut < 0 ? argv : argv.slice(0, cut)
    super(own, config)
    this.remote = cut < 0 ? undefined : argv.slice(cut + 1)
    this.out.configure({ json: own.includes('--json'), quiet: own.includes('--quiet') || own.includes('-q') })
    this.amux = new Context({ config, out: this.out, signal: this.signal, trust: () => this.#trust() })
  }

  abstract execute(): Promise<number | void>

  /** Fires on Ctrl-C, a termination and the time limit. Its reason is the error to throw. */
  get signal(): AbortSignal {
    return this.#interrupt.signal
  }

  /** While a program runs, Ctrl-C may be its business. Returns what gives it back. */
  onInterrupt(handler: (signal: Interruption) => void): () => void {
    return this.#interrupt.take(handler)
  }

  /** For work that cannot be left where it is. */
  seeThrough(): void {
    this.#interrupt.wait()
  }

  /** `--yes`: nothing is asked. */
  get yes(): boolean {
    return this.#yes
  }

  async confirm(question: string): Promise<void> {
    this.out.settle()
    if (!this.#yes) await confirm(question, this.signal)
  }

  #trust(): ((question: string) => Promise<void>) | undefined {
    const { destructive } = this.constructor as typeof AmuxCommand
    return !destructive && (this.#yes || canAsk()) ? (question) => this.confirm(question) : undefined
  }

  override async run(): Promise<number> {
    try {
      const status = await Promise.race([this.execute(), this.#interrupt.overdue(GRACE)])
      return status ?? 0
    } catch (error) {
      return this.#failed(error)
    } finally {
      await Promise.race([this.amux.close(), delay(CLOSING, undefined, { ref: false })])
      this.#interrupt.release()
      this.out.settle()
    }
  }

  protected override async parse<F extends Table, B extends Table, A extends Table>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv ?? this.argv).catch((error: unknown) => {
      throw misused(error, this.#usage())
    })
    const flags: Partial<Record<string, unknown>> = parsed.flags
    this.out.configure({ json: flags['json'] === true, quiet: flags['quiet'] === true })
    this.#yes = flags['yes'] === true
    this.#selection = { computer: text(flags['computer']), provider: text(flags['provider']) }
    if (typeof flags['timeout'] === 'number') this.#interrupt.limit(flags['timeout'])
    return parsed
  }

  #failed(thrown: unknown): number {
    this.out.settle()
    if (thrown instanceof Error && thrown.cause === READER_GONE) return 0
    const { passThrough } = this.constructor as typeof AmuxCommand
    return report(translate(this.#stopped(thrown), this.#usage()), { json: this.out.json, passThrough })
  }

  #usage(): UsageContext {
    const { baseFlags, flags, instead } = this.constructor as typeof AmuxCommand
    const [first] = this.argv
    const command = `${this.config.bin} ${(this.id ?? '').replaceAll(':', ' ')}`
    return { command, flags: Object.keys({ ...baseFlags, ...flags }), example: this.#example(command), instead: (more) => (first === undefined || first.startsWith('-') ? undefined : instead?.(first, more)), selection: this.#selection }
  }

  /** The first one that stands on its own line. */
  #example(command: string): string | undefined {
    const { examples: [first] = [] } = this.constructor as typeof AmuxCommand
    const line = typeof first === 'string' ? first : first?.command
    return line?.replaceAll('<%= config.bin %> <%= command.id %>', command).replaceAll('<%= config.bin %>', this.config.bin)
  }

  /** What was interrupted fails in many ways; the interruption is the reason. */
  #stopped(thrown: unknown): unknown {
    const fatal = this.signal.aborted && ['aborted', 'connection_lost', 'timeout'].includes(normalise(thrown).code)
    return fatal ? this.signal.reason : thrown
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
