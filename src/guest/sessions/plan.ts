import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { GuestConfig, StartRequest } from '../../protocol/index.ts'
import { findUser, type User } from '../users.ts'
import { GuestError } from '../wire.ts'
import { environmentFor } from './environment.ts'
import type { Launch } from './launch.ts'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/

export interface Plan {
  readonly user: string
  readonly launch: Omit<Launch, 'dir' | 'socket'>
}

/** Decides everything about a program that can be decided before it is looked for. Throws on what makes no sense. */
export function planLaunch(config: GuestConfig, request: StartRequest): Plan {
  check(request)
  const user = findUser(request.user, config.user)
  const root = process.getuid?.() === 0
  if (!root && user.uid !== process.getuid?.()) {
    throw new GuestError('unsupported', `every program on this computer runs as ${config.user.name}: none can run as ${JSON.stringify(request.user)}`, {
      hint: 'Leave out -u. What this computer can do, and what to do where it cannot: amux computer capabilities',
    })
  }
  const { argv, tty } = request
  return {
    user: user.name,
    launch: {
      argv,
      env: environmentFor(config, user, request),
      cwd: directoryFor(config, user, request.cwd),
      user: root ? { uid: user.uid, gid: user.gid, groups: [user.gid, ...user.groups] } : undefined,
      tty: tty === undefined ? undefined : { ...tty, group: ttyGroup() },
      stdin: request.stdin ?? true,
    },
  }
}

function check({ argv, env = {}, tty, name, cwd = '', labels }: StartRequest): void {
  const bad = (message: string) => new GuestError('invalid_argument', message)
  if (!Array.isArray(argv) || argv.length === 0) throw bad('there is no program to run: argv is empty')
  const words: unknown[] = [...argv, ...Object.values(env), cwd]
  if (words.some((word) => typeof word !== 'string' || word.includes('\0'))) throw bad('an argument is no text, or contains a zero byte')
  const wrong = Object.keys(env).find((key) => !/^[^=\0]+$/.test(key))
  if (wrong !== undefined) throw bad(`${JSON.stringify(wrong)} is no name of a variable`)
  if (name !== undefined && !NAME.test(name)) throw bad(`${JSON.stringify(name)} is no name for a session: letters, digits, dots and dashes`)
  if (Object.values(labels ?? {}).some((value) => typeof value !== 'string')) throw bad('labels are texts')
  if (tty !== undefined) checkSize(tty)
}

export function checkSize(size: { readonly cols: unknown; readonly rows: unknown }): void {
  const fits = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 2000
  if (fits(size.cols) && fits(size.rows)) return
  throw new GuestError('invalid_argument', `${String(size.cols)} x ${String(size.rows)} is no size for a terminal`)
}

function directoryFor(config: GuestConfig, user: User, cwd: string | undefined): string {
  if (cwd !== undefined && cwd !== '') return isAbsolute(cwd) ? cwd : resolve(join(user.home, cwd))
  const places = [config.workspace, user.home].filter((place) => place !== undefined)
  return places.find(isDirectory) ?? '/'
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

let group: number | undefined

function ttyGroup(): number | undefined {
  try {
    group ??= Number(/^tty:[^:]*:(\d+)/m.exec(readFileSync('/etc/group', 'utf8'))?.[1])
  } catch {
    return undefined
  }
  return Number.isNaN(group) ? undefined : group
}
