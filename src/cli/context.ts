import type { Config } from '@oclif/core/config'
import type { EquippedComputer } from '../contract/index.ts'
import { Settings, paths } from '../config/index.ts'
import { type Look, type Project, type ProjectStore, findProject, look } from '../project/index.ts'
import { Registry } from '../registry/index.ts'
import { debugging, describe } from './failure.ts'
import type { ComputerSelection } from './flags.ts'
import type { Output } from './output.ts'

export interface ContextOptions {
  readonly config: Config
  readonly out: Output
  readonly signal: AbortSignal
  /** What asks whether a record that somebody else wrote may be used; undefined where nobody can say so. */
  trust(): ((question: string) => Promise<void>) | undefined
}

/** What a command works with. Everything is made when first asked for. */
export class Context {
  readonly signal: AbortSignal
  /** Told when a session's connection broke and when it is back. A command that draws on the terminal puts its own here. */
  onConnection: (state: 'lost' | 'back') => void = (state) => this.#options.out.note(state === 'lost' ? 'The connection is lost: trying again.' : 'Connected again.')
  readonly #options: ContextOptions
  #settings: Settings | undefined
  #registry: Registry | undefined
  #project: Project | undefined
  #store: Promise<ProjectStore> | undefined
  #look: Look | undefined

  constructor(options: ContextOptions) {
    this.#options = options
    this.signal = options.signal
  }

  /** amux's own package. */
  get root(): string {
    return this.#options.config.root
  }

  get settings(): Settings {
    return (this.#settings ??= new Settings())
  }

  get registry(): Registry {
    const { config, out, signal } = this.#options
    return (this.#registry ??= new Registry({
      root: config.root,
      version: config.version,
      settings: this.settings,
      signal,
      progress: (text) => out.progress(text),
      note: (text) => out.note(text),
      debug: (text) => debugging() && out.say(text),
      onConnection: (state) => this.onConnection(state),
    }))
  }

  progress(text: string): void {
    this.#options.out.progress(text)
  }

  /** The project one stands in. Finds it, reads no record. */
  project(): Project {
    return (this.#project ??= findProject())
  }

  /** Its record: settled whose it is, asking where that is in doubt. */
  store(): Promise<ProjectStore> {
    return (this.#store ??= this.#open())
  }

  /** Its record where nothing about it is in doubt, for what works without one too; what is wrong with it is said once. */
  look(): Look {
    if (this.#look) return this.#look
    this.#look = look(() => this.project(), paths().state)
    if (this.#look.problem) this.#options.out.note(describe(this.#look.problem))
    return this.#look
  }

  /** The store of a record that `look` may follow, or that was settled already. */
  async followed(): Promise<ProjectStore | undefined> {
    return this.#store === undefined && this.look().problem ? undefined : this.store()
  }

  /** The computer a command is about. `start` wakes it; without it, it may be stopped. */
  async computer(selection: ComputerSelection, options: { readonly start?: boolean } = {}): Promise<EquippedComputer> {
    const { resolve } = await import('./resolve.ts')
    return resolve(this, selection, options)
  }

  /** Which provider to use where no computer is meant: the flag, AMUX_PROVIDER, the project's choice, or an error that helps. */
  async providerId(flag: string | undefined): Promise<string> {
    const { resolveProvider } = await import('./resolve.ts')
    return resolveProvider(this, flag)
  }

  async close(): Promise<void> {
    await this.#registry?.close()
  }

  async #open(): Promise<ProjectStore> {
    const { openProject } = await import('../project/index.ts')
    return openProject(this.project(), paths().state, { confirm: this.#options.trust(), moved: (from) => this.#moved(from) })
  }

  #moved(from: string): void {
    this.#options.out.note(`amux: this project was moved here from ${from}; a computer that runs has it there until: amux computer restart`)
  }
}
