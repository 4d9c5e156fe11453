import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { HandoverOptions } from './handover.ts'
import { TarProgram } from './program.ts'

export interface UnpackOptions {
  /** Modes and times as the archive says them, whatever the umask; else as for any file that a user makes. */
  readonly exact?: boolean
  /** Who gets it. Default: whoever unpacks. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Told which names cannot be here, and why. Without, that is an error. */
  readonly onSkipped?: ((name: string, what: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Unpacks a tar stream below the directory `root`. Nothing in it is trusted: no link is followed, and absolute names,
 * `..`, devices and setuid bits are refused. Stops at the first entry that is refused, and says which; what was unpacked
 * stays, and nothing that is half written. Reads nothing of `source` where the program cannot be started.
 */
export async function unpackBy(program: string, root: string, source: AsyncIterable<Uint8Array>, options: UnpackOptions = {}): Promise<void> {
  const { onSkipped, signal } = options
  const { child, ended } = await TarProgram.start(program, words(root, options), { onSkipped })
  const { stdin } = child
  if (!stdin) return ended
  try {
    await feed(stdin, source, ended, signal)
  } catch (error) {
    // The end of its input lets it take back what is half written.
    stdin.end()
    await ended.catch(() => undefined)
    throw error
  }
  stdin.end()
  await ended
}

/** The same of what comes through a socket, which is the program's from then on. */
export async function unpackFrom(program: string, root: string, stdin: Socket, options: UnpackOptions & HandoverOptions = {}): Promise<void> {
  const { onSkipped, onBytes, signal } = options
  const { child, ended } = await TarProgram.start(program, words(root, options), { onSkipped, onBytes, stdin })
  const stop = () => void child.kill('SIGTERM')
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop)
  await ended.finally(() => signal?.removeEventListener('abort', stop))
}

function words(root: string, { exact = false, owner, onSkipped }: UnpackOptions): readonly string[] {
  return ['unpack', root, ...(exact ? ['exact'] : []), ...(owner ? [`owner=${owner.uid}:${owner.gid}`] : []), ...(onSkipped ? ['skip'] : [])]
}

/** Until the source has ended, or the reader has, which may be while nobody sends. */
async function feed(to: Writable, source: AsyncIterable<Uint8Array>, ended: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const pieces = source[Symbol.asyncIterator]()
  const life = new Life(ended)
  try {
    for (let piece = await life.orEnd(pieces.next()); piece !== undefined && piece.done !== true; piece = await life.orEnd(pieces.next())) {
      signal?.throwIfAborted()
      if (!to.write(piece.value)) await life.orEnd(drained(to))
    }
  } finally {
    void pieces.return?.().then(undefined, () => undefined)
  }
}

/** A race for every piece against one promise would keep all of them until that is settled. */
class Life {
  #over = false
  #stop: () => void = () => undefined

  constructor(ended: Promise<void>) {
    const stop = () => {
      this.#over = true
      this.#stop()
    }
    ended.then(stop, stop)
  }

  orEnd<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#stop = () => resolve(undefined)
      if (this.#over) this.#stop()
      promise.then(resolve, reject)
    })
  }
}

function drained(to: Writable): Promise<void> {
  return new Promise((resolve) => {
    to.once('drain', resolve)
  })
}
