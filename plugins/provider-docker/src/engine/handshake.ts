import { constants } from 'node:os'
import type { ByteSource } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'

/** A line is never longer: what says it is our own program. */
const LONGEST = 8192

export interface Begun {
  /** Without its end; undefined where there was none. */
  readonly line: string | undefined
  /** What came without being a line of its own. */
  readonly rest: ByteSource
}

/** The first line of a stream, and the stream behind it. */
export async function firstLine(source: AsyncIterable<Uint8Array>): Promise<Begun> {
  const iterator = source[Symbol.asyncIterator]()
  let read = Buffer.alloc(0)
  for (let end = -1; ; end = read.indexOf(10)) {
    if (end >= 0) return { line: read.toString('utf8', 0, end).replace(/\r$/, ''), rest: joined(read.subarray(end + 1), iterator) }
    const next = read.length > LONGEST ? undefined : await iterator.next()
    if (next === undefined || next.done === true) return { line: undefined, rest: joined(read, iterator) }
    read = Buffer.concat([read, next.value])
  }
}

/** What `amux-init beside` says when it cannot begin. */
export interface Refusal {
  readonly step: string
  readonly subject: string
  readonly text: string
  /** Of a program: there is none of that name. Else it cannot be executed. */
  readonly absent: boolean
}

export function refusalOf(line: string | undefined): Refusal | undefined {
  const [word, errno, step = '', subject = '', text = ''] = (line ?? '').split('\t')
  const { ENOENT, ENOTDIR } = constants.errno
  return word === 'error' ? { step, subject, text, absent: [ENOENT, ENOTDIR].includes(Number(errno)) } : undefined
}

/** Of a program that could not be begun. */
export function unstarted({ absent, text }: Refusal, program: string, computer?: string): Error {
  return fail(absent ? 'program_not_found' : 'program_not_executable', `${program}: ${text}`, { computer, source: 'program' })
}

async function* joined(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    if (first.length > 0) yield first
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}
