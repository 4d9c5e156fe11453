import type { LogChunk, LogOptions } from './sessions.ts'

/** A program that a computer keeps running. */
export interface ServiceSpec {
  readonly argv: readonly string[]
  /** Absolute, or relative to the user's home. Default: the workspace, else the home directory. */
  readonly cwd?: string
  /** Merged over the computer's own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Services that are started before it. */
  readonly needs?: readonly string[]
  /** The computer's URL leads to this port of it. One service at most has one: `conflict`. */
  readonly httpPort?: number
}

export type ServiceState = 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'

export interface ServiceInfo extends ServiceSpec {
  /** `[a-z0-9][a-z0-9-]{0,62}`. */
  readonly name: string
  /** `stopped`: by request, and it stays so. `failed`: it ended, and will be started again at `nextRestartAt`, if that is there. */
  readonly state: ServiceState
  readonly pid?: number
  /** RFC 3339. */
  readonly startedAt?: string
  /** Times it was started again after it had ended by itself. */
  readonly restarts: number
  /** RFC 3339. */
  readonly nextRestartAt?: string
  /** One line: how it ended last, why it cannot be started. */
  readonly problem?: string
}

/** Programs that run as long as their computer does: started with it, and again when they end. Every `name` that is not there: `not_found`. */
export interface Services {
  /** Makes it or changes it, and starts it (again). `start: false`: it stays stopped, or goes on as it was until it is restarted. */
  set(name: string, spec: ServiceSpec, options?: { readonly start?: boolean }): Promise<ServiceInfo>
  /** By name. */
  list(): Promise<readonly ServiceInfo[]>
  get(name: string): Promise<ServiceInfo>
  /** With what it needs. Resolves once it runs, or failed to; starting a running one is no error. */
  start(name: string): Promise<ServiceInfo>
  /** SIGTERM to everything it started, SIGKILL after 10 seconds. It stays stopped, also when the computer starts again. */
  stop(name: string): Promise<ServiceInfo>
  restart(name: string): Promise<ServiceInfo>
  /** `not_running` when it does not run. */
  signal(name: string, signal: string): Promise<void>
  /** Ends it first. `conflict` while another one needs it. */
  remove(name: string): Promise<void>
  /** Over all its starts, as far as they are kept. `follow` goes on until given up. */
  logs(name: string, options?: LogOptions): AsyncIterable<LogChunk>
}
