import { randomBytes } from 'node:crypto'
import type { ComputerUser } from '../../../../src/contract/index.ts'
import type { TarEntry } from '../engine/tar.ts'
import type { Facts } from '../images/facts.ts'
import type { Meta } from '../meta.ts'
import { inside } from '../names.ts'

export const superUser: ComputerUser = { name: 'root', uid: 0, gid: 0, home: '/root' }

/** Without a project, who runs programs: the first free id. */
const FIRST = 1001
const BASH = '/bin/bash'

export function freeUser({ passwd }: Pick<Facts, 'passwd'>): ComputerUser {
  const taken = new Set(passwd.filter(([name]) => name !== 'amux').map((row) => row[2]))
  let uid = FIRST
  while (taken.has(String(uid))) uid++
  return { name: 'amux', uid, gid: uid, home: '/home/amux' }
}

/** The user of somebody's project: with the same ids, files are theirs on both sides. */
export function projectUser(uid: number, gid: number): ComputerUser {
  return uid === 0 ? superUser : { name: 'amux', uid, gid, home: '/home/amux' }
}

/** A new computer's own files, to be there before it runs first. */
export function seedOf({ user, run }: Pick<Meta, 'user' | 'run'>, facts: Facts): TarEntry[] {
  // An engine that maps users makes what is mounted on as somebody whom the container does not know. What is mounted from here is its owner's.
  const places: TarEntry[] = [inside.run.slice(0, inside.run.lastIndexOf('/')), ...(run === undefined ? [inside.run] : [])].map((path) => ({ name: path.slice(1), mode: 0o755 }))
  const machine: TarEntry[] = [...places, { name: 'etc/machine-id', mode: 0o444, content: `${randomBytes(16).toString('hex')}\n` }]
  if (user.uid === 0) return machine
  const { uid, gid, name, home } = user
  const own = { uid, gid }
  const folders = new Set(Object.keys(facts.skeleton).flatMap((path) => path.split('/').slice(0, -1).map((_, index, all) => all.slice(0, index + 1).join('/'))))
  return [
    ...machine,
    ...accountFiles(user, facts),
    { name: 'etc/sudoers.d/amux', mode: 0o440, content: `${name} ALL=(ALL:ALL) NOPASSWD: ALL\n` },
    { name: home.slice(1), mode: 0o755, ...own },
    ...[...folders].map((path) => ({ name: `${home.slice(1)}/${path}`, mode: 0o755, ...own })),
    ...Object.entries(facts.skeleton).map(([path, content]) => ({ name: `${home.slice(1)}/${path}`, mode: 0o644, content: Buffer.from(content, 'base64'), ...own })),
  ]
}

/** First in line: where an image has given the same id to another name, that one comes second. */
function accountFiles({ name, uid, gid, home }: ComputerUser, { passwd, group, shadow }: Facts): TarEntry[] {
  // What root has is there.
  const shell = passwd.some((row) => row[6] === BASH) ? BASH : '/bin/sh'
  const others = (rows: Facts['passwd']) => rows.filter((row) => row[0] !== name)
  const withRoot = (rows: Facts['passwd'], line: readonly string[]) => (rows.some((row) => row[0] === 'root') ? rows : [line, ...rows])
  const known = others(group).some((row) => row[2] === String(gid))
  const shadowGroup = Number(group.find((row) => row[0] === 'shadow')?.[2] ?? 0)
  const secret = (who: string) => [who, '*', '19000', '0', '99999', '7', '', '', '']
  return [
    { name: 'etc/passwd', mode: 0o644, content: text(withRoot([[name, 'x', String(uid), String(gid), 'amux', home, shell], ...others(passwd)], ['root', 'x', '0', '0', 'root', '/root', shell])) },
    { name: 'etc/group', mode: 0o644, content: text(withRoot([...(known ? [] : [[name, 'x', String(gid), '']]), ...others(group)], ['root', 'x', '0', ''])) },
    { name: 'etc/shadow', mode: 0o640, gid: shadowGroup, content: text(withRoot([secret(name), ...others(shadow)], secret('root'))) },
  ]
}

function text(rows: Facts['passwd']): string {
  return `${rows.map((row) => row.join(':')).join('\n')}\n`
}
