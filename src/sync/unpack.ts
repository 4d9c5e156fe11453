import type { ByteSource } from '../contract/index.ts'
import { normalise } from '../errors/index.ts'
import { initProgram } from '../native/index.ts'
import { handOver, isNotStarted, opens, unpackBy, unpackFrom, utf8 } from '../tar/index.ts'
import { unpackPortably } from './unpack-portably.ts'

export interface UnpackOptions {
  /** The one entry there may be, under this name: for a single file. */
  readonly only?: string
  readonly signal?: AbortSignal | undefined
  /** Told what cannot be here, and why. Without, that is an error. */
  readonly onSkipped?: ((name: string, what: string) => void) | undefined
}

/**
 * Unpacks what a computer sent below `root`, an existing directory. Nothing of it is trusted: no link is followed, and
 * absolute names, `..`, devices and setuid bits are refused. Stops at the first entry that is refused; what was
 * unpacked stays. Each file appears whole, but for those of a directory that was made for them.
 */
export async function unpack(root: string, tar: ByteSource, options: UnpackOptions = {}): Promise<void> {
  const { only, signal, onSkipped } = options
  const program = only === undefined ? initProgram() : undefined
  if (program !== undefined) {
    try {
      return await unpackHere(program, root, tar, { signal, onSkipped: onSkipped && ((name, what) => onSkipped(utf8(name), what)) })
    } catch (error) {
      signal?.throwIfAborted()
      if (!isNotStarted(error)) throw normalise(error)
    }
  }
  return unpackPortably(root, tar, options)
}

/** By the program, which reads from the computer's own where it can. */
async function unpackHere(program: string, root: string, tar: ByteSource, options: Omit<UnpackOptions, 'only'>): Promise<void> {
  const door = opens(tar) ? await tar.openSocket(options.signal) : undefined
  if (door === undefined) return unpackBy(program, root, tar, options)
  const { socket, onBytes } = door
  return handOver(door, 'there', options.signal, (signal) => unpackFrom(program, root, socket, { ...options, onBytes, signal }))
}
