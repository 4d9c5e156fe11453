import { lstatSync } from 'node:fs'
import type { Socket } from 'node:net'
import { initProgram } from '../native/index.ts'
import type { HandoverOptions, Writes } from './handover.ts'
import { type PackOptions, packPortably, type Root } from './portable.ts'
import { isKilled, TarProgram } from './program.ts'

/** Of one file up to here the program would take longer to begin than to pack it. */
const QUICK = 1024 * 1024

/**
 * A tar stream of what is at and below `roots`. Made for a tree in use: what vanishes meanwhile is left out, a file that
 * shrinks while it is read breaks the stream, and nothing is silently padded. Sockets, pipes and devices have no place
 * in an archive and are left out; so are setuid bits, which no receiver accepts.
 */
export function pack(roots: Iterable<Root>, options: PackOptions = {}): AsyncGenerator<Buffer, void> & Partial<Writes> {
  const all = [...roots]
  const program = isQuick(all) ? undefined : initProgram()
  if (program === undefined) return packPortably(all, options)
  return Object.assign(packed(program, all, options), { writeTo: (socket: Socket, told: HandoverOptions) => writeTo(program, all, socket, options, told) })
}

function isQuick([root, more]: readonly Root[]): boolean {
  if (root === undefined || more !== undefined) return false
  const found = lstatSync(Buffer.from(root.path, 'latin1'), { throwIfNoEntry: false })
  return found === undefined || (found.isFile() && found.size <= QUICK)
}

async function* packed(program: string, roots: readonly Root[], options: PackOptions): AsyncGenerator<Buffer, void> {
  const run = await TarProgram.start(program, words(options), { onSkipped: options.onSkipped }).catch(() => undefined)
  // Where it cannot be started, what it does is done here, slower.
  if (run === undefined) return yield* packPortably(roots, options)
  try {
    name(roots, run)
    if (run.child.stdout) yield* run.child.stdout
    await run.ended
  } finally {
    run.child.kill('SIGKILL')
  }
}

async function writeTo(program: string, roots: readonly Root[], stdout: Socket, options: PackOptions, { signal, onBytes }: HandoverOptions): Promise<void> {
  const run = await TarProgram.start(program, words(options), { onSkipped: options.onSkipped, onBytes, stdout })
  const stop = () => void run.child.kill('SIGKILL')
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop)
  try {
    name(roots, run)
    await run.ended
  } catch (error) {
    if (isKilled(error)) signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function words({ wholeSeconds }: PackOptions): readonly string[] {
  return ['pack', wholeSeconds === true ? 'seconds' : 'exact']
}

function name(roots: readonly Root[], { child }: TarProgram): void {
  child.stdin?.end(roots.map(({ path, name, follow = false }) => `${path}\0${follow ? 1 : 0}${name}\0`).join(''), 'latin1')
}
