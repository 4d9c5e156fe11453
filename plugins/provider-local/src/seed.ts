import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ComputerUser } from '../../../src/contract/index.ts'

const NOBODY = 65534
const FIRST_PERSON = 1000

/** Splits `a:b:c` lines. */
function table(path: string): string[][] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
}

function lines(rows: readonly (readonly string[])[]): string {
  return `${rows.map((row) => row.join(':')).join('\n')}\n`
}

function isSystem(id: string | undefined): boolean {
  const number = Number(id)
  return number < FIRST_PERSON || number === NOBODY
}

/** The user of a computer that shows no project: `amux`, 1001 unless the system it starts from has given that away. */
export function chooseUser(lower: string, own: boolean): ComputerUser {
  const taken = new Set(own ? [] : table(join(lower, 'etc/passwd')).map((row) => row[2]))
  let uid = 1001
  while (taken.has(String(uid))) uid++
  return { name: 'amux', uid, gid: uid, home: '/home/amux' }
}

export const superUser: ComputerUser = { name: 'root', uid: 0, gid: 0, home: '/root' }

/**
 * Writes a new computer's own files into its still empty upper layer: accounts without this machine's people and
 * passwords, the names it knows itself by, homes. Only safe before its first start.
 */
export function seed(upper: string, lower: string, name: string, user: ComputerUser, own: boolean): void {
  const put = (path: string, text: string, mode = 0o644, gid = 0) => {
    directories(upper, lower, path)
    writeFileSync(join(upper, path), text, { mode, flag: 'wx' })
    chmodSync(join(upper, path), mode)
    chownSync(join(upper, path), 0, gid)
  }
  accounts(lower, user, own, put)
  put('etc/hostname', `${name}\n`)
  put('etc/hosts', `127.0.0.1\tlocalhost\n127.0.1.1\t${name}\n::1\tlocalhost ip6-localhost ip6-loopback\n`)
  put('etc/machine-id', `${randomBytes(16).toString('hex')}\n`, 0o444)
  put('etc/sudoers.d/amux', 'amux ALL=(ALL:ALL) NOPASSWD: ALL\n', 0o440)
  if (own || !existsSync(join(lower, superUser.home))) homeOf(upper, lower, superUser)
  if (user.uid !== 0) homeOf(upper, lower, user)
}

type Put = (path: string, text: string, mode?: number, gid?: number) => void

function accounts(lower: string, user: ComputerUser, own: boolean, put: Put): void {
  const kept = (rows: string[][]) => (own ? rows.filter((row) => isSystem(row[2])) : rows)
  const shell = existsSync(join(lower, 'bin/bash')) ? '/bin/bash' : '/bin/sh'
  const passwd = withRoot(kept(table(join(lower, 'etc/passwd'))), ['root', 'x', '0', '0', 'root', '/root', shell])
  const group = withRoot(kept(table(join(lower, 'etc/group'))), ['root', 'x', '0', ''])
  const shadowGroup = Number(group.find((row) => row[0] === 'shadow')?.[2] ?? 0)
  const mine = user.uid === 0 ? [] : [user.name]
  const people = new Set([...passwd.map((row) => row[0] ?? ''), ...mine])
  const members = (row: string[]) => [...row.slice(0, 3), (row[3] ?? '').split(',').filter((name) => people.has(name)).join(',')]
  const newUser = mine.map((name) => [name, 'x', String(user.uid), String(user.gid), 'amux', user.home, shell])
  const newGroup = mine.map((name) => [name, 'x', String(user.gid), ''])
  put('etc/passwd', lines([...passwd, ...newUser]))
  put('etc/group', lines([...group.map(members), ...newGroup]))
  put('etc/shadow', lines([...people].map((name) => [name, '*', '19000', '0', '99999', '7', '', '', ''])), 0o640, shadowGroup)
  put('etc/gshadow', lines([...group, ...newGroup].map((row) => [row[0] ?? '', '*', '', ''])), 0o640, shadowGroup)
}

function withRoot(rows: string[][], root: string[]): string[][] {
  return rows.some((row) => row[0] === 'root') ? rows : [root, ...rows]
}

/** Parents in the upper layer, like the lower layer's. */
function directories(upper: string, lower: string, path: string): void {
  let at = ''
  for (const part of path.split('/').slice(0, -1)) {
    at = at === '' ? part : `${at}/${part}`
    const target = join(upper, at)
    if (existsSync(target)) continue
    const like = lstatSync(join(lower, at), { throwIfNoEntry: false })
    mkdirSync(target)
    chmodSync(target, like?.isDirectory() ? like.mode & 0o7777 : 0o755)
    if (like?.isDirectory()) chownSync(target, like.uid, like.gid)
  }
}

function homeOf(upper: string, lower: string, user: ComputerUser): void {
  const home = join(upper, user.home)
  directories(upper, lower, `${user.home.slice(1)}/x`)
  chmodSync(home, user.uid === 0 ? 0o700 : 0o755)
  chownSync(home, user.uid, user.gid)
  fillHome(home, join(lower, 'etc/skel'), user)
}

/** What a new user of this system finds at home. */
export function fillHome(home: string, skeleton: string, owner?: { readonly uid: number; readonly gid: number }): void {
  for (const entry of existsSync(skeleton) ? readdirSync(skeleton, { withFileTypes: true }) : []) {
    if (!entry.isFile()) continue
    copyFileSync(join(skeleton, entry.name), join(home, entry.name))
    if (owner !== undefined) chownSync(join(home, entry.name), owner.uid, owner.gid)
  }
}
