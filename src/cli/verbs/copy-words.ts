import { fail } from '../../errors/index.ts'

/** Not to be opened anew: it may be a socket, or be appended to. */
const STDOUT = /^\/(dev\/(stdout|fd\/1)|proc\/self\/fd\/1)$/u

/** What is to be copied, which way. */
export interface Copy {
  readonly source: string
  readonly target: string
  readonly direction: 'in' | 'out'
  /** The computer that is named, and the path on it. */
  readonly computer: string | undefined
  readonly path: string
  readonly local: string
}

export function copyOf(source: string, target: string): Copy {
  const [from, to] = [remote(source), remote(target)]
  const there = from ?? to
  if (!there || (from && to)) throw fail('invalid_argument', 'one side must be on a computer (:PATH), and the other here')
  return { source, target, direction: from ? 'out' : 'in', ...there, local: from ? target : source }
}

/** Whether it is all on standard input or output. */
export function isStreamed({ local, direction }: Copy): boolean {
  return local === '-' || (direction === 'out' && STDOUT.test(local))
}

/** `./a:b` and `/a:b` are files here. */
function remote(text: string): { readonly computer: string | undefined; readonly path: string } | undefined {
  const match = /^([a-z][a-z0-9-]*)?:(.*)$/su.exec(text)
  return match ? { computer: match[1], path: match[2] || '.' } : undefined
}
