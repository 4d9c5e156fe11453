import { homedir, tmpdir, userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { lstatSync, mkdirSync } from 'node:fs'
import { fail } from '../errors/index.ts'

/** Where amux keeps its own files on this machine. */
export interface Paths {
  readonly config: string
  readonly data: string
  readonly state: string
  readonly cache: string
  /** Sockets: short, gone after a reboot. Use `runtimeDir()`, which makes and checks it. */
  readonly run: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** XDG; `AMUX_HOME` puts all five below one directory. */
export function paths(env: Environment = process.env): Paths {
  const root = env['AMUX_HOME']
  if (root !== undefined && root !== '') {
    const home = resolve(root)
    return { config: join(home, 'config'), data: join(home, 'data'), state: join(home, 'state'), cache: join(home, 'cache'), run: join(home, 'run') }
  }
  const home = env['HOME'] || homedir()
  const xdg = (name: string, fallback: string) => {
    const value = env[name]
    return join(value !== undefined && isAbsolute(value) ? value : join(home, fallback), 'amux')
  }
  return {
    config: xdg('XDG_CONFIG_HOME', '.config'),
    data: xdg('XDG_DATA_HOME', '.local/share'),
    state: xdg('XDG_STATE_HOME', '.local/state'),
    cache: xdg('XDG_CACHE_HOME', '.cache'),
    run: runtime(env),
  }
}

/** Where a provider keeps what it has on this machine. */
export function providerDirectory(id: string, env: Environment = process.env): string {
  return join(paths(env).data, 'providers', id)
}

/** The runtime directory, made when missing: 0700 and ours, or an error. */
export function runtimeDir(env: Environment = process.env): string {
  return privateDir(paths(env).run)
}

/** Makes a directory only this user can enter. One that somebody else owns, or a link, is refused. */
export function privateDir(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const { uid } = userInfo()
  const stat = lstatSync(path)
  const ours = stat.isDirectory() && (uid < 0 || stat.uid === uid) && (stat.mode & 0o022) === 0
  if (ours) return path
  throw fail('permission_denied', `${path} is not a private directory of yours`, {
    hint: `Remove it, or make it yours: chmod 700 ${path}`,
  })
}

function runtime(env: Environment): string {
  const { uid } = userInfo()
  const base = env['XDG_RUNTIME_DIR']
  if (base !== undefined && isAbsolute(base) && owned(base, uid)) return join(base, 'amux')
  return join(tmpdir(), `amux-${uid}`)
}

/** A runtime directory kept over `su` belongs to the other user. */
function owned(path: string, uid: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat !== undefined && stat.isDirectory() && stat.uid === uid
}
