import { posix } from 'node:path'
import type { SpawnOptions } from '../../../src/contract/index.ts'
import type { Query } from './client.ts'
import { fail, hasCode, statusOf, throwIfAborted } from './errors.ts'
import { Execution } from './execution.ts'
import { retrying } from './retry.ts'
import type { Sprite } from './sprite.ts'

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
  const words = user === undefined ? argv : [...sudo(user), ...argv]
  const own = plain || (Object.keys(env).length === 0 && !sprite.hasEnv && !tty && !bare)
  const variables = own ? {} : bare ? env : { ...(await sprite.facts(options.signal)).env, ...(tty && { TERM: 'xterm-256color', COLORTERM: 'truecolor' }), ...env }
  const dir = cwd === undefined || cwd === '' || posix.isAbsolute(cwd) ? cwd : posix.join((await sprite.facts(options.signal)).user.home, cwd)
  return {
    words,
    query: {
      cmd: words,
      path: words[0],
      stdin: true,
      ...(dir ? { dir } : {}),
      ...(tty && { tty: true, rows: tty.rows, cols: tty.cols }),
      ...(Object.keys(variables).length > 0 && { env: Object.entries(variables).map(([key, value]) => `${key}=${value}`) }),
      max_run_after_disconnect: maxRun,
    },
  }
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
