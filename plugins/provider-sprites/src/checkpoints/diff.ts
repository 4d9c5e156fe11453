import { randomBytes } from 'node:crypto'
import type { CheckpointChange } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'
import { program } from '../files/errors.ts'
import { spriteFiles } from '../files/files.ts'
import { collect } from '../service/collect.ts'
import type { Sprite } from '../sprite.ts'

/** Not of the disk that a checkpoint covers. */
export const APART: readonly string[] = ['/proc', '/sys', '/dev', '/run', '/tmp', '/.sprite']

/** Two trees on the sprite. */
export interface Sides {
  /** Root of the earlier one; '' is the disk as it is now. */
  readonly from: string
  readonly to: string
  /** Only this path and what is below it, absolute. Default: everything. */
  readonly below?: string
}

/**
 * Lists of both sides, sorted; then what only one of them has. A large listing would lose bytes on its way: so it is
 * compared where it is, and the rest comes as files. A directory's own time and size say nothing of it.
 */
const LISTS = `
umask 077; own=$3; mkdir -p -- "$3" || exit 1
list() {
  cd -- "\${1:-/}" || exit 1
  if [ -e ".$2" ] || [ -L ".$2" ]; then
    sudo -n find ".$2" \\( -path ".$own" -o ${APART.map((path) => `-path .${path}`).join(' -o ')} \\) -prune -o -type d -printf '%p//d 0 %m %U:%G 0//\\0' -o -printf '%p//%y %s %m %U:%G %T@//%l\\0'
  fi
}
list "$1" "$4" | sort -z > "$3/a" && list "$2" "$4" | sort -z > "$3/b" || exit 1
comm -z -23 "$3/a" "$3/b" > "$3/from" && comm -z -13 "$3/a" "$3/b" > "$3/to"`

/** Of the files named on its input, those whose contents differ. */
const CONTENTS = `sudo -n xargs -0 -r sh -c 'a=$1; b=$2; shift 2; for p; do cmp -s -- "$a$p" "$b$p" || printf "%s\\0" "$p"; done' sh "$1" "$2"`
/** Some millions of files, in bytes. */
const LIST_MOST = 256 * 1024 * 1024
/** So many at a time. */
const BATCH = 500

interface Entry {
  readonly type: CheckpointChange['type']
  readonly size: number
  readonly mode: string
  readonly owner: string
  readonly time: string
  readonly target: string
}

/** By path. Files of the same size and time are taken to be the same; others of the same size are compared. */
export async function compareTrees(sprite: Sprite, sides: Sides, signal: AbortSignal | undefined): Promise<readonly CheckpointChange[]> {
  const place = `${(await sprite.facts(signal)).user.home}/.amux/tmp/${randomBytes(8).toString('hex')}`
  const files = spriteFiles(sprite)
  try {
    await program(sprite, LISTS, [sides.from, sides.to, place, sides.below ?? ''], { signal })
    const [before, after] = [await entries(files.read(`${place}/from`, signal && { signal })), await entries(files.read(`${place}/to`, signal && { signal }))]
    const doubtful = [...before].flatMap(([path, old]) => (isDoubtful(old, after.get(path)) ? [path] : []))
    const differing = await contents(sprite, sides, doubtful, signal)
    const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted((a, b) => (a < b ? -1 : 1))
    return paths.flatMap((path) => changeOf(path, before.get(path), after.get(path), differing) ?? [])
  } finally {
    await files.remove(place, { recursive: true }).catch(() => undefined)
  }
}

function isDoubtful(old: Entry, now: Entry | undefined): boolean {
  return now?.type === 'file' && old.type === 'file' && old.size === now.size && old.time !== now.time
}

async function contents(sprite: Sprite, { from, to }: Sides, paths: readonly string[], signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  const differing = new Set<string>()
  for (let at = 0; at < paths.length; at += BATCH) {
    const input = Buffer.from(paths.slice(at, at + BATCH).map((path) => `${path}\0`).join(''))
    const found = await program(sprite, CONTENTS, [from, to], { input, signal })
    for (const path of found.toString().split('\0')) if (path !== '') differing.add(path)
  }
  return differing
}

function changeOf(path: string, old: Entry | undefined, now: Entry | undefined, differing: ReadonlySet<string>): CheckpointChange | undefined {
  const sizes = { ...(old?.type === 'file' && { before: old.size }), ...(now?.type === 'file' && { after: now.size }) }
  if (!now) return old && { path, change: 'removed', type: old.type, what: [], ...sizes }
  if (!old) return { path, change: 'added', type: now.type, what: [], ...sizes }
  const both = old.type === 'file' && now.type === 'file'
  const differs = {
    type: old.type !== now.type,
    content: both && (old.size !== now.size || differing.has(path)),
    mode: old.mode !== now.mode && old.type !== 'link' && now.type !== 'link',
    owner: old.owner !== now.owner,
    time: old.time !== now.time && old.type === now.type,
    target: old.type === now.type && old.target !== now.target,
  }
  const what = Object.entries(differs).flatMap(([name, is]) => (is ? [name] : []))
  return what.length === 0 ? undefined : { path, change: 'modified', type: now.type, what, ...sizes }
}

const types: Readonly<Record<string, Entry['type']>> = { f: 'file', d: 'directory', l: 'link' }

/** `.PATH//TYPE SIZE MODE OWNER TIME//TARGET`: no path has two slashes in a row. */
async function entries(source: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, Entry>> {
  const records = (await collect(source, 'the list of what differs', LIST_MOST)).toString().split('\0').slice(0, -1)
  return new Map(records.map(entryOf))
}

function entryOf(record: string): readonly [string, Entry] {
  const [, path, kind = '', size, mode = '', owner = '', time = '', target = ''] = /^\.(.*?)\/\/(\w) (\d+) (\d+) (\S+) (\S+)\/\/(.*)$/s.exec(record) ?? []
  if (path === undefined) throw fail('corrupt', `the sprite listed a file in a way that makes no sense: ${JSON.stringify(record)}`)
  return [path === '' ? '/' : path, { type: types[kind] ?? 'other', size: Number(size), mode, owner, time, target }]
}
