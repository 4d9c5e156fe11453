import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestConfig, StartRequest } from '../../protocol/index.ts'
import type { User } from '../users.ts'

const STANDARD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const TERM = 'xterm-256color'
const terminfo = ['/etc/terminfo', '/lib/terminfo', '/usr/lib/terminfo', '/usr/share/terminfo', '/usr/local/share/terminfo']

type Environment = Readonly<Record<string, string>>

/** The computer's own environment for that user, the request's variables over it. */
export function environmentFor(config: GuestConfig, user: User, request: StartRequest): Environment {
  const { env = {}, tty } = request
  if (request.bare === true) return env
  const path = [...config.path, config.env['PATH'] ?? STANDARD_PATH].join(':')
  const merged = {
    LANG: 'C.UTF-8',
    ...config.env,
    HOME: user.home,
    USER: user.name,
    LOGNAME: user.name,
    SHELL: user.shell,
    PATH: path,
    ...(tty !== undefined && { TERM, COLORTERM: 'truecolor' }),
    ...env,
  }
  return tty !== undefined && 'TERM' in env ? { ...merged, TERM: knownTerminal(env['TERM'] ?? TERM, user.home) } : merged
}

/** A terminal the computer has never heard of would leave its programs without colours, or without a screen. */
function knownTerminal(name: string, home: string): string {
  const places = [join(home, '.terminfo'), ...terminfo]
  if (name === '' || name.includes('/') || !places.some((place) => existsSync(place))) return TERM
  const entries = [`${name[0]}/${name}`, `${name.codePointAt(0)?.toString(16)}/${name}`]
  return places.some((place) => entries.some((entry) => existsSync(join(place, entry)))) ? name : TERM
}
