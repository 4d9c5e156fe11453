import { isDeepStrictEqual } from 'node:util'
import type { ServiceSpec, ServiceState, SessionInfo } from '../../contract/index.ts'
import type { ServiceReport } from '../../protocol/index.ts'
import type { Session, SessionEngine } from '../sessions/index.ts'
import type { Definition, Definitions, Run } from './definition.ts'

/** From one that ended to the next start: at first, at most, and after how long a life it counts as sound again. */
const FIRST_MS = 500
const MOST_MS = 30_000
const SOUND_MS = 60_000
/** Starts whose output is kept. */
const RUNS = 5
const GRACE_MS = 10_000

/** One program that is kept running. Its starts are sessions of an engine that has no others. */
export class Service {
  readonly #engine: SessionEngine
  readonly #definitions: Definitions
  #definition: Definition
  #session: Session | undefined
  #state: ServiceState = 'stopped'
  #problem: string | undefined
  #delay = FIRST_MS
  #timer: NodeJS.Timeout | undefined
  #nextRestartAt: string | undefined
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly #watchers = new Set<() => void>()

  constructor(definition: Definition, engine: SessionEngine, definitions: Definitions) {
    this.#definition = definition
    this.#engine = engine
    this.#definitions = definitions
  }

  get name(): string {
    return this.#definition.name
  }

  get spec(): ServiceSpec {
    return this.#definition.spec
  }

  get stopped(): boolean {
    return this.#definition.stopped
  }

  report(): ServiceReport {
    const { name, spec, restarts, runs } = this.#definition
    const session = this.#session?.info()
    return {
      name,
      ...spec,
      state: this.#state,
      ...(session && this.#state !== 'failed' && this.#state !== 'stopped' && { pid: session.pid, startedAt: session.startedAt }),
      restarts,
      ...(this.#nextRestartAt !== undefined && { nextRestartAt: this.#nextRestartAt }),
      ...(this.#problem !== undefined && { problem: this.#problem }),
      runs: runs.map((run) => {
        const startedAt = this.#find(run)?.info().startedAt
        return { ...run, ...(startedAt !== undefined && { startedAt }) }
      }),
    }
  }

  /** As it was before: a life that goes on is taken over. */
  adopt(): boolean {
    const last = this.#definition.runs.at(-1)
    const session = last && this.#find(last)
    if (session?.running !== true) return false
    this.#begun(session)
    return true
  }

  /** Its definition becomes this. Returns whether anything changed. */
  change(spec: ServiceSpec): boolean {
    if (isDeepStrictEqual(spec, this.spec)) return false
    this.#save({ spec })
    return true
  }

  start(): Promise<void> {
    return this.#inTurn(async () => {
      this.#save({ stopped: false })
      if (this.#state !== 'running') await this.#launch()
    })
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      this.#save({ stopped: true })
      await this.#end()
    })
  }

  restart(): Promise<void> {
    return this.#inTurn(async () => {
      this.#save({ stopped: false })
      await this.#end()
      this.#delay = FIRST_MS
      await this.#launch()
    })
  }

  /** False where it does not run. */
  signal(name: string): boolean {
    if (this.#state !== 'running') return false
    this.#session?.signal(name)
    return true
  }

  remove(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#end()
      for (const run of this.#definition.runs) this.#forget(run)
      this.#definitions.remove(this.name)
    })
  }

  /** Resolves once another start than `run` is the newest. */
  async after(run: string, signal: AbortSignal): Promise<void> {
    while ((this.#definition.runs.at(-1)?.id ?? '') === run && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.#watchers.delete(done)
          signal.removeEventListener('abort', done)
          resolve()
        }
        this.#watchers.add(done)
        signal.addEventListener('abort', done)
      })
    }
  }

  /** The guest ends. What runs lives on. */
  release(): void {
    clearTimeout(this.#timer)
    this.#session = undefined
  }

  async #launch(): Promise<void> {
    this.#rest()
    this.#state = 'starting'
    this.#problem = undefined
    const { argv, cwd, env } = this.spec
    try {
      const session = await this.#engine.start({ argv, ...(cwd !== undefined && { cwd }), ...(env && { env }), detached: true, stdin: false, labels: { service: this.name } })
      const runs = [...this.#definition.runs, { id: session.id, base: this.#nextBase() }]
      for (const run of runs.slice(0, -RUNS)) this.#forget(run)
      this.#save({ runs: runs.slice(-RUNS) })
      this.#begun(session)
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
  }

  #begun(session: Session): void {
    this.#session = session
    this.#state = 'running'
    this.#problem = undefined
    this.#tell()
    void session.wait().then(() => this.#ended(session))
  }

  /** By itself, unless it was told to. */
  #ended(session: Session): void {
    if (this.#session !== session || this.#state === 'stopping') return
    const info = session.info()
    if (Date.now() - Date.parse(info.startedAt) > SOUND_MS) this.#delay = FIRST_MS
    this.#fail(describe(info))
  }

  #fail(problem: string): void {
    this.#state = 'failed'
    this.#problem = problem
    this.#nextRestartAt = new Date(Date.now() + this.#delay).toISOString()
    this.#timer = setTimeout(() => void this.#again(), this.#delay)
    this.#delay = Math.min(this.#delay * 2, MOST_MS)
    this.#tell()
  }

  #again(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'failed' || this.stopped) return
      this.#save({ restarts: this.#definition.restarts + 1 })
      await this.#launch()
    })
  }

  async #end(): Promise<void> {
    this.#rest()
    const session = this.#session
    if (session?.running === true) {
      this.#state = 'stopping'
      await session.kill({ signal: 'SIGTERM', grace: GRACE_MS })
    }
    this.#state = 'stopped'
    this.#problem = undefined
    this.#tell()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#nextRestartAt = undefined
  }

  #nextBase(): readonly [number, number] {
    const last = this.#definition.runs.at(-1)
    if (!last) return [0, 0]
    const tracks = this.#find(last)?.tracks
    return [last.base[0] + (tracks?.[0]?.end ?? 0), last.base[1] + (tracks?.[1]?.end ?? 0)]
  }

  #find({ id }: Run): Session | undefined {
    try {
      return this.#engine.get(id)
    } catch {
      return undefined
    }
  }

  #forget({ id }: Run): void {
    try {
      this.#engine.remove(id)
    } catch {
      // It was forgotten before.
    }
  }

  /** On a full disk it goes on with what it knows. */
  #save(change: Partial<Definition>): void {
    this.#definition = { ...this.#definition, ...change }
    try {
      this.#definitions.write(this.#definition)
    } catch (error) {
      process.stderr.write(`amux guest: service ${this.name} cannot be written down: ${String(error)}\n`)
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.catch(() => undefined).then(work)
    this.#turn = next
    return next
  }

  #tell(): void {
    // Each takes itself out.
    const watchers = [...this.#watchers]
    for (const watcher of watchers) watcher()
  }
}

function describe({ state }: SessionInfo): string {
  if (state.status === 'exited') return `it ended with status ${state.code}`
  if (state.status === 'killed') return `it was ended by ${state.signal}`
  return 'it ended'
}
