import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type { SpawnOptions } from '../../../../src/contract/index.ts'
import type { Query } from '../service/client.ts'
import { fail, hasCode, statusOf, throwIfAborted } from '../errors.ts'
import { Execution } from './execution.ts'
import { upload } from '../files/files.ts'
import { retrying } from '../service/retry.ts'
import type { Sprite } from '../sprite.ts'

/** Of all words and variables together, as they stand in an address. */
const LONG = 8 * 1024

export interface ExecOptions extends SpawnOptions {
  /** In the sprite's own environment, as it is, and where it puts programs: nothing has to be asked first. */
  readonly plain?: boolean
  /** How long it runs on without a client: a duration as Go writes it, `0` for ever. Default one minute. */
  readonly maxRun?: string
  /** `env` is all it gets. */
  readonly bare?: boolean
}

/** Resolves once the program runs. `program_not_found`, `program_not_executable`, `not_found` (the directory, the user). */
export async function openExec(sprite: Sprite, argv: readonly string[], options: ExecOptions = {}): Promise<Execution> {
  check(sprite, argv)
  throwIfAborted(options.signal)
  const { signal, tty } = options
  const { words, query } = await request(sprite, argv, options)
  const open = () => sprite.client.socket(sprite.path('exec'), { query, signal })
  // Refused before it began, it may be asked for again; a broken connection may have begun it.
  const socket = await retrying(async () => {
    try {
      return await open()
    } catch (error) {
      throw statusOf(error) === undefined && hasCode(error, 'connection_lost', 'unavailable') ? settled(error) : error
    }
  }, signal, (text) => sprite.context.debug(text))
  const execution = new Execution(sprite, socket, { tty, signal, onFailure: (said, code, status) => explain(sprite, words, options, said, code, status) })
  await execution.begun
  return execution
}

async function request(sprite: Sprite, argv: readonly string[], options: ExecOptions): Promise<{ readonly words: readonly string[]; readonly query: Query }> {
  const { env = {}, tty, user, cwd, plain = false, bare = false, maxRun = '60s' } = options
  if (user !== undefined) await checkUser(sprite, user, options.signal)
  const words = user === undefined ? argv : [...sudo(user), ...argv]
  const own = plain || (Object.keys(env).length === 0 && !sprite.hasEnv && !tty && !bare)
  const variables = own ? {} : bare ? env : { ...(await sprite.facts(options.signal)).env, ...(tty && { TERM: 'xterm-256color', COLORTERM: 'truecolor' }), ...env }
  const dir = cwd === undefined || cwd === '' || posix.isAbsolute(cwd) ? cwd : posix.join((await sprite.facts(options.signal)).user.home, cwd)
  const list = Object.entries(variables).map(([key, value]) => `${key}=${value}`)
  const long = [...words, ...list].reduce((sum, text) => sum + encodeURIComponent(text).length, 0) > LONG
  const cmd = long ? await aside(sprite, words, options.signal) : words
  return {
    words,
    query: {
      cmd,
      path: cmd[0],
      stdin: true,
      ...(dir ? { dir } : {}),
      ...(tty && { tty: true, rows: tty.rows, cols: tty.cols }),
      ...(list.length > 0 && { env: list }),
      max_run_after_disconnect: maxRun,
    },
  }
}

/** Commands travel in the address of the request, which may not be long: such a one is read from a file. */
async function aside(sprite: Sprite, words: readonly string[], signal: AbortSignal | undefined): Promise<readonly string[]> {
  const file = `/tmp/.amux-${randomBytes(8).toString('hex')}`
  await upload(sprite, file, Buffer.from(words.map((word) => `${word}\0`).join('')), 0o600, signal)
  return ['bash', '-c', 'mapfile -d "" -t words < "$1" && rm -f -- "$1" && exec -- "${words[@]}"', 'bash', file]
}

async function checkUser(sprite: Sprite, user: string, signal: AbortSignal | undefined): Promise<void> {
  const [who = '', group = ''] = user.split(':', 2)
  const script = 'command -v sudo > /dev/null || exit 44; case $1 in *[!0-9]*) id -u -- "$1" > /dev/null 2>&1 || exit 45;; esac; case $2 in *[!0-9]*) getent group -- "$2" > /dev/null || exit 45;; esac'
  const { code } = await sprite.run(['sh', '-c', script, 'sh', who, group], { signal })
  if (code === 44) throw fail('unsupported', `programs on ${sprite.name} run as its own user only: it has no sudo`, { computer: sprite.name })
  if (code === 45) throw fail('not_found', `there is no user or group ${JSON.stringify(user)} on ${sprite.name}`, { source: 'program', computer: sprite.name })
}

/** `name`, `uid`, `uid:gid`. */
function sudo(user: string): readonly string[] {
  const [who = '', group] = user.split(':', 2)
  const id = (text: string) => (/^\d+$/.test(text) ? `#${text}` : text)
  return ['sudo', '-n', '-E', '-u', id(who), ...(group === undefined ? [] : ['-g', id(group)]), '--']
}

function check(sprite: Sprite, argv: readonly string[]): void {
  if (argv.length > 0 && argv[0] !== '' && !argv.some((word) => word.includes('\0'))) return
  throw fail('invalid_argument', 'a command needs a program, and no argument may hold a NUL byte', { source: 'amux', computer: sprite.name })
}

/** Whether it began, nobody knows: it is not asked for again. */
function settled(error: unknown): Error {
  return fail('connection_lost', error instanceof Error ? error.message : String(error), { source: 'transport', cause: error })
}

const own: ReadonlySet<string> = new Set(['program_not_found', 'program_not_executable', 'not_found', 'conflict', 'invalid_argument'])

/** Why a program did not start. The service's words for it are not documented: where it has none of ours, the sprite is asked. */
async function explain(sprite: Sprite, words: readonly string[], { cwd, env }: ExecOptions, said: string, code: string | undefined, status: number | undefined): Promise<Error> {
  const [program = ''] = words
  const details = { source: 'program', computer: sprite.name } as const
  if (code !== undefined && own.has(code)) return fail(code === 'conflict' ? 'not_found' : (code as 'not_found'), said || `${program} cannot be started`, details)
  const script = 'if [ -n "$1" ] && ! cd "$1" 2>/dev/null; then exit 3; fi; [ -n "$3" ] && PATH=$3; p=$(command -v -- "$2" 2>/dev/null) || p=$2; [ -e "$p" ] || exit 4; [ -f "$p" ] && [ -x "$p" ] || exit 5; exit 0'
  const found = await sprite.run(['sh', '-c', script, 'sh', cwd ?? '', program, env?.['PATH'] ?? '']).catch(() => undefined)
  if (found?.code === 3) return fail('not_found', `there is no directory ${cwd} on ${sprite.name}`, details)
  if (found?.code === 4 || status === 127) return fail('program_not_found', `there is no program ${JSON.stringify(program)} on ${sprite.name}`, details)
  if (found?.code === 5 || status === 126) return fail('program_not_executable', `${program} on ${sprite.name} cannot be executed`, details)
  return fail('failed', said || `${program} could not be started on ${sprite.name}`, details)
}
