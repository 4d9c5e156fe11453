import type { ByteSink } from '../contract/index.ts'
import fs from 'node:fs'
import type { DetachScanner } from './detach-keys.ts'
import type { Local, LocalInput } from './local.ts'

/** Typed ahead of a program that does not read: beyond this the keyboard waits. */
const TYPE_AHEAD = 1024 * 1024
const NULL_DEVICE = 0x103

/** Whether local input can give anything: spares opening a stream for `</dev/null`, as scripts have it. */
export function hasInput(local: Local): boolean {
  if (local.inputDescriptor === undefined) return true
  try {
    const stat = fs.fstatSync(local.inputDescriptor)
    return !(stat.isCharacterDevice() && stat.rdev === NULL_DEVICE)
  } catch {
    return false
  }
}

/** Copies local input to the program, at the program's pace. Resolves at the end of the input, or when the program takes no more. */
export async function copyInput(input: LocalInput, sink: ByteSink): Promise<void> {
  try {
    for await (const chunk of input) await sink.write(bytes(chunk))
    await sink.end()
  } catch {
    // The program closed its end or is over: its exit says the rest.
    input.destroy()
  }
}

export interface Keyboard {
  readonly input: LocalInput
  readonly sink: ByteSink
  readonly scanner: DetachScanner
  onDetach(): void
  /** The terminal is no more. The program's input does not end with it: it lives on. */
  onGone(): void
}

/**
 * Passes keys on. They are looked at as they are typed, not when the program takes them: the detach keys also work
 * while it does not read, or while the connection is away. Returns what stops it.
 */
export function copyKeys({ input, sink, scanner, onDetach, onGone }: Keyboard): () => void {
  let waiting = 0
  let last = Promise.resolve()
  const send = async (chunk: Uint8Array, before: Promise<void>): Promise<void> => {
    await before
    // What cannot be typed any more is dropped: the exit says why.
    await sink.write(chunk).catch(() => undefined)
    waiting -= chunk.length
    if (waiting <= TYPE_AHEAD && input.isPaused()) input.resume()
  }
  const pass = (chunk: Uint8Array): void => {
    waiting += chunk.length
    if (waiting > TYPE_AHEAD) input.pause()
    last = send(chunk, last)
  }
  const onData = (chunk: unknown): void => {
    const { forward, detach } = scanner.scan(bytes(chunk))
    if (forward.length > 0) pass(forward)
    if (detach) onDetach()
  }
  input.on('data', onData).on('end', onGone).on('error', onGone)
  return () => {
    waiting = Number.POSITIVE_INFINITY
    input.off('data', onData).off('end', onGone)
  }
}

function bytes(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk))
}

/** For who only looks on: takes keys and types none. */
export function mute(look: (chunk: Uint8Array) => void): ByteSink {
  return {
    async write(chunk) {
      look(chunk)
    },
    async end() {
      // There is nothing to end.
    },
  }
}
