import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { getSystemErrorMap } from 'node:util'
import { type TarCode, TarError } from './error.ts'
import { utf8 } from './header.ts'
import { show } from './read.ts'

const RECORD_MAX = 64 * 1024

export interface TarProgramOptions {
  /** Told what was left out, and why. */
  readonly onSkipped?: ((name: string, what: string) => void) | undefined
  /** Told now and then how many bytes have passed. */
  readonly onBytes?: ((count: number) => void) | undefined
  /** Of which nothing was read: the program's own from then on. */
  readonly stdin?: Socket | undefined
  readonly stdout?: Socket | undefined
}

/** One run of it. What it says on standard error are records: see `tarfault.c`. */
export class TarProgram {
  readonly child: ChildProcess
  /** Resolves once it has ended, and all that it wrote is here. Rejects with what it says went wrong. */
  readonly ended: Promise<void>
  readonly #options: TarProgramOptions
  #said: Buffer = Buffer.alloc(0)
  #failure: Error | undefined

  private constructor(child: ChildProcess, options: TarProgramOptions) {
    this.child = child
    this.#options = options
    // It ends before it has read all: why, it says itself.
    child.stdin?.on('error', () => undefined)
    child.stderr?.on('data', (piece: Buffer) => this.#hear(piece))
    this.ended = this.#end()
    this.ended.catch(() => undefined)
  }

  /** Rejects where it cannot be started. */
  static async start(program: string, args: readonly string[], options: TarProgramOptions = {}): Promise<TarProgram> {
    const { stdin, stdout } = options
    try {
      // Of some failures it tells later, others it throws.
      const child = spawn(program, args, { stdio: [stdin ?? 'pipe', stdout ?? 'pipe', 'pipe'] })
      await once(child, 'spawn')
      return new TarProgram(child, options)
    } finally {
      for (const socket of [stdin, stdout]) socket?.destroy()
    }
  }

  async #end(): Promise<void> {
    const [status, signal]: (number | string | null)[] = await once(this.child, 'close')
    if (this.#failure !== undefined) throw this.#failure
    if (status === 0 && this.#said.length > 0) throw new Error(`amux-init said what cannot be understood: ${show(this.#said.toString('latin1', 0, 200))}`)
    if (status !== 0) throw Object.assign(new Error(`amux-init ended with ${signal ?? status}: ${this.#said.toString().trim()}`), { code: signal === null ? undefined : 'ERR_TAR_KILLED' })
  }

  #hear(piece: Buffer): void {
    this.#said = Buffer.concat([this.#said, piece])
    for (let record = this.#take(); record !== undefined; record = this.#take()) {
      const [first = '', second = '', third = ''] = record.fields
      if (record.tag === 's') this.#options.onSkipped?.(first, second)
      else if (record.tag === 'b') this.#options.onBytes?.(Number(first))
      else this.#failure ??= record.tag === 'e' ? ofEntry(first, second, third) : ofPlace(first, second, third)
    }
    this.#said = this.#said.subarray(0, RECORD_MAX)
  }

  #take(): { readonly tag: string; readonly fields: readonly string[] } | undefined {
    const tag = this.#said.toString('latin1', 0, 1)
    const count = { b: 1, s: 2, e: 3, p: 3 }[tag]
    if (count === undefined) return undefined
    const fields: string[] = []
    let at = 1
    while (fields.length < count) {
      const end = this.#said.indexOf(0, at)
      if (end === -1) return undefined
      fields.push(this.#said.toString('latin1', at, end))
      at = end + 1
    }
    this.#said = this.#said.subarray(at)
    return { tag, fields }
  }
}

export function isKilled(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_TAR_KILLED'
}

/** Whether it never ran. */
export function isNotStarted(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn')
}

/** Names are latin1 (see `Entry`). */
function ofEntry(why: string, name: string, words: string): Error {
  if (why === 'ERR_TAR_SHORTER') return new Error(`${show(name)} ${words}`)
  const system = why.startsWith('#') ? systemError(why) : undefined
  const message = system?.text ?? words
  const whole = name === '' ? message : `unpacking stopped at ${show(name)}: ${message}`
  return system ? Object.assign(new Error(whole), { code: system.code }) : new TarError(whole, codeOf(why))
}

/** As Node would say it. */
function ofPlace(why: string, name: string, syscall: string): Error {
  const { code, text } = systemError(why)
  const path = utf8(name)
  return Object.assign(new Error(`${code}: ${text}, ${syscall} '${path}'`), { code, syscall, path })
}

function systemError(why: string): { readonly code: string; readonly text: string } {
  const errno = Number(why.slice(1))
  const [code, text] = getSystemErrorMap().get(-errno) ?? ['EIO', `error ${errno}`]
  return { code, text }
}

function codeOf(why: string): TarCode {
  const known: readonly TarCode[] = ['ERR_TAR', 'ERR_TAR_FORM', 'ERR_TAR_CONFLICT', 'ERR_TAR_NAME']
  return known.find((code) => code === why) ?? 'ERR_TAR'
}
