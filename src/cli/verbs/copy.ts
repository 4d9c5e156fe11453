import { fail } from '../../errors/index.ts'
import { isPlaced, pathOn } from '../../project/directory.ts'
import { copyIn, type CopyOptions, copyOut, readFile, readTar, type Sides, writeTar } from '../../sync/index.ts'
import { formatBytes } from '../../util/bytes.ts'
import type { Placed } from '../place.ts'
import { type Copy, isStreamed } from './copy-words.ts'
import type { VerbHost } from './exec.ts'

const SHOWN_MS = 500

export interface CopyHost extends Pick<VerbHost, 'say' | 'print'> {
  readonly signal: AbortSignal
  readonly sides: Sides
  place(): Promise<Placed>
  readonly json: boolean
  progress(text: string): void
  /** To standard output, at its reader's pace. */
  bytes(chunk: Uint8Array): Promise<void>
}

/** `amux computer cp`. */
export async function copy(what: Copy, host: CopyHost): Promise<void> {
  const { sides, signal } = host
  const path = await placed(what.path, host)
  const options = { signal, onBytes: shown(what, host), onSkipped: (path: string, why: string) => host.say(`amux: left out ${path}: ${why}`) }
  if (isStreamed(what)) return stream(what, path, host, options)
  await (what.direction === 'out' ? copyOut(sides, path, what.local, options) : copyIn(sides, what.local, path, options))
  if (host.json) host.print({ computer: sides.name, source: what.source, target: what.target }, () => '')
}

async function stream({ local, direction }: Copy, path: string, { sides, bytes }: CopyHost, options: CopyOptions): Promise<void> {
  if (direction === 'in') return writeTar(sides, path, stdin(), options)
  const isTar = local === '-'
  if (isTar && process.stdout.isTTY) throw fail('invalid_argument', 'a tar stream does not belong on a terminal', { hint: 'Redirect it: > FILE, or | tar x' })
  for await (const chunk of (isTar ? readTar : readFile)(sides, path, options)) await bytes(chunk)
}

function stdin(): AsyncIterable<Uint8Array> {
  if (process.stdin.isTTY) throw fail('invalid_argument', 'a tar stream is expected on standard input', { hint: 'tar c FILES | amux computer cp - :DIRECTORY' })
  return process.stdin
}

/** Where a path on the computer begins. */
async function placed(path: string, { place }: CopyHost): Promise<string> {
  if (isPlaced(path)) return pathOn('.', path)
  const { directory = '.', away } = await place()
  if (away) throw away
  const dot = path.endsWith('/.') || path === '.' ? '/.' : ''
  return `${pathOn(directory, path)}${dot}`
}

function shown({ source, target }: Copy, { progress }: CopyHost): (count: number) => void {
  let last = performance.now()
  return (count) => {
    if (performance.now() - last < SHOWN_MS) return
    last = performance.now()
    progress(`Copying ${source} to ${target}: ${formatBytes(count)}`)
  }
}
