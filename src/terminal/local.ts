import type { Readable, Writable } from 'node:stream'

export interface LocalInput extends Readable {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

export interface LocalOutput extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  readonly fd?: number
}

export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT'

/** This side of a running program. Each stream is opened only when it is asked for: that costs time. */
export interface Local {
  readonly stdin: LocalInput
  /** Where that comes from, if it is a file of the system. */
  readonly inputDescriptor?: number
  readonly stdout: LocalOutput
  readonly stderr: LocalOutput
  /** Whether one of the streams is a terminal, without opening it. */
  isTerminal(stream: 'stdin' | 'stdout'): boolean
}

export const processLocal: Local = {
  inputDescriptor: 0,
  get stdin() {
    return process.stdin
  },
  get stdout() {
    return process.stdout
  },
  get stderr() {
    return process.stderr
  },
  isTerminal: (stream) => process.getBuiltinModule('node:tty').isatty(stream === 'stdin' ? 0 : 1),
}

const endings: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']

/** While a program runs, these do not end this process at once. Returns what undoes it. */
export function onEndSignals(handler: (signal: EndSignal) => void): () => void {
  for (const signal of endings) process.on(signal, handler)
  return () => {
    for (const signal of endings) process.off(signal, handler)
  }
}
