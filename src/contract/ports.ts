/** A TCP socket that listens on a computer. */
export interface ListeningPort {
  readonly port: number
  /** `127.0.0.1`, `0.0.0.0`, `::`, … */
  readonly address: string
  /** 0 when it cannot be told. */
  readonly pid: number
  /** The program's short name, empty when it cannot be told. */
  readonly program: string
}

/** A port of the computer on the machine it is on, for as long as the computer runs. */
export interface PublishedPort {
  /** To listen on there: `127.0.0.1`, `0.0.0.0`, `::1`. */
  readonly address: string
  /** 0: any free one, another with each start; `info` of a running one says which. */
  readonly local: number
  readonly remote: number
}

export interface PortEvent extends ListeningPort {
  readonly type: 'opened' | 'closed'
}

export interface Ports {
  /** By port number. */
  list(): Promise<readonly ListeningPort[]>
  /** First an `opened` for each that is there, then changes as they happen. */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterable<PortEvent>
}

/** Whether a computer works. */
export interface IdleState {
  /** Since when nothing had output, input, CPU time or a connection; absent while something works. RFC 3339. */
  readonly since?: string
  /** Why it counts as working, for people: `session build (output 2 s ago)`. */
  readonly because: readonly string[]
  /** What keeps it from stopping by itself though nothing works, for people: `a connection to port 3000 from 10.0.0.7`. */
  readonly held?: readonly string[]
}

/** A computer that stops by itself when nothing uses it, and is started again by the next use. Its setting outlives stops, restores and updates. */
export interface IdleStop {
  /** Milliseconds without use after which it stops. Undefined: it never does, which is so until something else is set. */
  get(): Promise<number | undefined>
  /** Whether it runs or not. Setting it counts as use. */
  set(after: number | undefined): Promise<void>
}
