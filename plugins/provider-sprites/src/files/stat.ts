import type { FileStat } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'

const kinds: Readonly<Record<string, FileStat['type']>> = { f: 'file', d: 'directory', l: 'link' }
/** `S_IFMT` and its kinds. */
const FORMAT = 0o170000
const formats: Readonly<Record<number, FileStat['type']>> = { 0o100000: 'file', 0o040000: 'directory', 0o120000: 'link' }

/** `%f %s %u %g %.9Y`, a line, then the link's target. */
export function parseStat(path: string, output: Buffer): FileStat {
  const text = output.toString()
  const end = text.indexOf('\n')
  const [raw = '', size = '', uid = '', gid = '', time = ''] = text.slice(0, end).split(' ')
  const mode = Number.parseInt(raw, 16)
  if (end < 0 || Number.isNaN(mode)) throw fail('corrupt', `the sprite described ${path} in a way that makes no sense`)
  const type = formats[mode & FORMAT] ?? 'other'
  return { path, type, size: Number(size), mode: mode & 0o7777, uid: Number(uid), gid: Number(gid), mtime: Math.floor(Number(time) * 1000), ...(type === 'link' && { target: text.slice(end + 1) }) }
}

/** `%f\0%y\0%s\0%m\0%U\0%G\0%T@\0%l\0` for each entry. */
export function parseList(path: string, output: Buffer): FileStat[] {
  const fields = output.toString().split('\0')
  const base = path === '/' ? '' : path
  const entries: FileStat[] = []
  for (let at = 0; at + 8 < fields.length + 1 && fields[at] !== ''; at += 8) {
    const [name = '', kind = '', size, mode = '0', uid, gid, time, target = ''] = fields.slice(at, at + 8)
    const type = kinds[kind] ?? 'other'
    entries.push({ path: `${base}/${name}`, type, size: Number(size), mode: Number.parseInt(mode, 8), uid: Number(uid), gid: Number(gid), mtime: Math.floor(Number(time) * 1000), ...(type === 'link' && { target }) })
  }
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}
