import { lstatSync } from 'node:fs'
import { type PackOptions, packPortably, type Root } from './portable.ts'
import { TarProgram, tarProgram } from './program.ts'

/**
 * A tar stream of what is at and below `roots`. Made for a tree in use: what vanishes meanwhile is left out, a file that
 * shrinks while it is read breaks the stream, and nothing is silently padded. Sockets, pipes and devices have no place
 * in an archive and are left out; so are setuid bits, which no receiver accepts.
 */
export async function* pack(roots: Iterable<Root>, options: PackOptions = {}): AsyncGenerator<Buffer, void> {
  const all = [...roots]
  const program = isOne(all) ? undefined : await begin(options)
  if (program === undefined) yield* packPortably(all, options)
  else yield* packed(program, all)
}

/** Of one file the program would take longer to begin than to pack it. */
function isOne([root, more]: readonly Root[]): boolean {
  if (root === undefined || more !== undefined) return false
  return lstatSync(Buffer.from(root.path, 'latin1'), { throwIfNoEntry: false })?.isFile() ?? true
}

/** Undefined where it cannot be: what it does is then done here, slower. */
function begin({ wholeSeconds, onSkipped }: PackOptions): Promise<TarProgram | undefined> {
  const program = tarProgram()
  if (program === undefined) return Promise.resolve(undefined)
  return TarProgram.start(program, ['pack', wholeSeconds === true ? 'seconds' : 'exact'], onSkipped).catch(() => undefined)
}

async function* packed({ child, ended }: TarProgram, roots: readonly Root[]): AsyncGenerator<Buffer, void> {
  try {
    child.stdin.end(roots.map(({ path, name, follow = false }) => `${path}\0${follow ? 1 : 0}${name}\0`).join(''), 'latin1')
    yield* child.stdout
    await ended
  } finally {
    child.kill('SIGKILL')
  }
}
