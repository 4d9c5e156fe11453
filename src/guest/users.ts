import { readFileSync } from 'node:fs'
import { GuestError } from './wire.ts'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  /** Supplementary groups, the primary one left out. */
  readonly groups: readonly number[]
  /** Login shell; `/bin/sh` where none is recorded. */
  readonly shell: string
}

type DefaultUser = Pick<User, 'name' | 'uid' | 'gid' | 'home'>

/** Read anew each time: programs add users while the guest runs. */
function rows(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter((line) => line.includes(':')).map((line) => line.split(':'))
  } catch {
    return []
  }
}

/**
 * A user as `name`, `uid`, `name:group` or `uid:gid`; without one the computer's own. A number needs no entry in
 * /etc/passwd, a name does, unless it is the computer's user.
 */
export function findUser(spec: string | undefined, own: DefaultUser): User {
  const [who = '', group] = (spec ?? own.name).split(':', 2)
  const passwd = rows('/etc/passwd')
  const numeric = /^\d+$/.test(who)
  const row = passwd.find((entry) => (numeric ? entry[2] === who : entry[0] === who))
  const base = numeric ? Number(who) === own.uid : who === own.name
  if (row === undefined && !base && !numeric) throw new GuestError('not_found', `there is no user ${JSON.stringify(who)} on this computer`)
  const uid = base ? own.uid : Number(row?.[2] ?? who)
  const name = base ? own.name : (row?.[0] ?? who)
  const primary = base ? own.gid : Number(row?.[3] ?? uid)
  const gid = group === undefined ? primary : findGroup(group)
  const home = base ? own.home : row?.[5] || '/'
  return { name, uid, gid, home, groups: groupsOf(name, gid), shell: row?.[6] || '/bin/sh' }
}

function findGroup(spec: string): number {
  if (/^\d+$/.test(spec)) return Number(spec)
  const row = rows('/etc/group').find((entry) => entry[0] === spec)
  if (row === undefined) throw new GuestError('not_found', `there is no group ${JSON.stringify(spec)} on this computer`)
  return Number(row[2])
}

function groupsOf(name: string, primary: number): number[] {
  const mine = rows('/etc/group').filter((entry) => entry[3]?.split(',').includes(name))
  return [...new Set(mine.map((entry) => Number(entry[2])))].filter((gid) => gid !== primary)
}
