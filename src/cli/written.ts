import type { AmuxError } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

/** Thrown into a command that goes on writing after its reader left: ends it without a word. */
export const READER_GONE = 'EPIPE'

let lost: NodeJS.ErrnoException | undefined

/** From now on, what cannot be written is remembered: `flushed` tells. */
export function watchOutput(): void {
  // oclif's listener throws, from where nobody can tell what it was about.
  process.stdout.removeAllListeners('error')
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (lost ??= error))
  // Nobody listens to what would be said: not worth failing for.
  process.stderr.on('error', () => undefined)
}

export function unwritable(): boolean {
  return lost !== undefined
}

/** Ends what goes on writing to nobody. */
export function refuse(): void {
  if (lost?.code === READER_GONE) throw fail('aborted', 'the reader of stdout left', { cause: READER_GONE })
  if (lost) throw unwritten(lost)
}

/** Resolves when all that was written is out, or to why it is not. A reader that left got what it wanted. */
export async function flushed(): Promise<AmuxError | undefined> {
  await Promise.all([process.stdout, process.stderr].map(drained))
  // A write that fails at once is told a little later.
  await new Promise((resolve) => setImmediate(resolve))
  return lost === undefined || lost.code === READER_GONE ? undefined : unwritten(lost)
}

function unwritten(error: Error): AmuxError {
  return fail('failed', `standard output cannot be written: ${error.message}`, { hint: 'What it should say is lost.', cause: error })
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
}
