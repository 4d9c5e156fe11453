import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import type { ByteSink, ByteSource, ExitStatus, Process, TerminalSize } from '../../../../src/contract/index.ts'
import { fail, given } from '../errors.ts'

export interface ProgramParts {
  readonly socket: Duplex
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  readonly signal?: AbortSignal | undefined
  kill(number: number, name: string): Promise<void>
  resize?(size: TerminalSize): Promise<void>
}

/** A program that an engine runs, over the stream it opened for it. */
export class Program implements Process {
  readonly stdin: ByteSink
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  readonly #parts: ProgramParts

  constructor(parts: ProgramParts) {
    this.#parts = parts
    this.stdin = sinkOf(parts.socket)
    this.stdout = parts.stdout
    this.stderr = parts.stderr
    this.exit = untilAborted(parts)
    this.exit.catch(() => undefined)
  }

  async kill(signal = 'SIGTERM'): Promise<void> {
    await this.#parts.kill(numberOf(signal), signal)
  }

  async resize(size: TerminalSize): Promise<void> {
    if (this.#parts.resize === undefined) throw fail('invalid_argument', 'it has no terminal', { source: 'amux' })
    await this.#parts.resize(size)
  }
}

export function numberOf(signal: string): number {
  const number = new Map<string, number>(Object.entries(constants.signals)).get(signal)
  if (number === undefined) throw fail('invalid_argument', `there is no signal ${signal}`, { source: 'amux' })
  return number
}

/** An engine's status: 128 and more is how it tells of a signal. */
export function statusFrom(code: number): ExitStatus {
  const name = code > 128 ? Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0] : undefined
  return name === undefined ? { code } : { signal: name }
}

function untilAborted({ exit, signal, kill }: ProgramParts): Promise<ExitStatus> {
  if (signal === undefined) return exit
  return new Promise((resolve, reject) => {
    const stop = () => {
      void kill(constants.signals.SIGKILL, 'SIGKILL').catch(() => undefined)
      reject(given(signal))
    }
    signal.addEventListener('abort', stop, { once: true })
    exit.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject)
    if (signal.aborted) stop()
  })
}

export function sinkOf(socket: Duplex): ByteSink {
  const gone = (cause?: unknown) => fail('connection_lost', 'the program does not read its input any more', { source: 'program', cause })
  let failure: unknown
  socket.on('error', (error) => (failure = error))
  return {
    async write(chunk) {
      if (!socket.writable) throw gone(failure)
      if (socket.write(chunk)) return
      // An engine that has said its last word takes nothing any more, and never says so.
      await new Promise<void>((resolve, reject) => {
        const settle = (how: () => void) => () => {
          socket.off('drain', onDrain).off('close', onClose).off('end', onClose).off('error', onClose)
          how()
        }
        const onDrain = settle(resolve)
        const onClose = settle(() => reject(gone(failure)))
        socket.on('drain', onDrain).on('close', onClose).on('end', onClose).on('error', onClose)
      })
    },
    end: () => new Promise((resolve) => (socket.writable ? socket.end(() => resolve()) : resolve())),
  }
}
