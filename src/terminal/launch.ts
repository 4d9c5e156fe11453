import type { Attachment, SessionInfo, Sessions, StartOptions, TerminalSize } from '../contract/index.ts'
import { fail, hasCode, normalise } from '../errors/index.ts'
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.ts'
import { type DriveOptions, drive } from './drive.ts'
import { type Local, processLocal } from './local.ts'
import { localSize } from './screen.ts'

export interface Launched extends Attachment {
  /** It has no session: leaving ends it. */
  readonly bound?: boolean
}

/** Where a program is started from. */
export interface Around {
  readonly sessions: Pick<Sessions, 'attach' | 'list'> & { start(...given: Parameters<Sessions['start']>): Promise<Launched> }
  /** The command that attaches to a session of this computer, without the session. */
  readonly attachCommand: string
  /** One line for people, on stderr. */
  say(text: string): void
  /** The time limit: ends the program. */
  readonly signal?: AbortSignal | undefined
  readonly onEnd?: DriveOptions['onEnd']
  readonly local?: Local
}

export interface Launch extends Pick<StartOptions, 'cwd' | 'env' | 'user' | 'name' | 'labels'> {
  readonly argv: readonly string[]
  /** A terminal of its own. Default: when local input and output are one, unless `stdin` is asked for alone. */
  readonly tty?: boolean | undefined
  /** Whether it gets local input. Default true. */
  readonly stdin?: boolean | undefined
  /** Default Ctrl-\. */
  readonly detachKeys?: string | undefined
}

/** Runs a program in the local terminal or between local pipes. Returns the exit status for the shell. */
export async function launch(program: Launch, around: Around): Promise<number> {
  const { local = processLocal } = around
  const detachKeys = parseDetachKeys(program.detachKeys ?? DEFAULT_DETACH_KEYS)
  const tty = wantsTerminal(program, local) ? localSize(local) : undefined
  // What goes to a file or a program must be whole.
  const attachment = await start(program, tty, around, { verify: tty === undefined && !local.isTerminal('stdout') })
  return drive({ ...driving(attachment, around), attachment, detachKeys, input: program.stdin === false ? 'end' : 'pass' })
}

/** Starts it and leaves it running. */
export async function launchDetached(program: Launch, around: Around): Promise<SessionInfo> {
  const tty = program.tty === true ? localSize(around.local ?? processLocal) : undefined
  const attachment = await start(program, tty, around, { detached: true })
  const { session } = attachment
  await attachment.detach()
  return session
}

export interface Reattach {
  readonly id: string
  readonly readOnly?: boolean | undefined
  /** Whether it gets local input. Default: when that is a terminal. */
  readonly stdin?: boolean | undefined
  readonly detachKeys?: string | undefined
}

/** Goes back to a session. */
export async function reattach({ id, readOnly = false, stdin, detachKeys }: Reattach, around: Around): Promise<number> {
  const { local = processLocal, signal } = around
  const keys = parseDetachKeys(detachKeys ?? DEFAULT_DETACH_KEYS)
  const size = local.isTerminal('stdout') && !readOnly ? localSize(local) : undefined
  const attachment = await beginning(signal, (begun) => around.sessions.attach(id, { readOnly, signal: begun, ...(size && { size }) }))
  const input = (stdin ?? local.isTerminal('stdin')) ? 'pass' : 'none'
  return drive({ ...driving(attachment, around), attachment, detachKeys: keys, input, readOnly })
}

function wantsTerminal({ tty, stdin }: Launch, local: Local): boolean {
  return tty ?? (stdin === undefined && local.isTerminal('stdin') && local.isTerminal('stdout'))
}

async function start(program: Launch, tty: TerminalSize | undefined, around: Around, more: Pick<StartOptions, 'detached' | 'verify'>): Promise<Launched> {
  const { argv, cwd, env, user, name, labels } = program
  const given = { cwd, env, user, name, labels, tty }
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  try {
    return await beginning(around.signal, (signal) => around.sessions.start(argv, { ...options, ...more, signal }))
  } catch (error) {
    throw withShellHint(error, argv)
  }
}

/** A signal that counts until the work is done, not for what it leaves behind. */
async function beginning<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const inner = new AbortController()
  const onAbort = (): void => inner.abort(signal?.reason)
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(inner.signal)
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function driving(attachment: Launched, { attachCommand, say, signal, onEnd, local }: Around) {
  return {
    attachCommand: attachment.bound === true ? undefined : `${attachCommand} ${attachment.session.id}`,
    say,
    signal,
    ...(onEnd && { onEnd }),
    ...(local && { local }),
  }
}

/** `exec "ls -l"` names a program with a space in it; most likely a shell line was meant. */
function withShellHint(error: unknown, argv: readonly string[]): unknown {
  const [line, ...more] = argv
  if (!hasCode(error, 'program_not_found') || line === undefined || more.length > 0 || !/\s/.test(line)) return error
  const { code, message, ...rest } = normalise(error)
  return fail(code, message, { ...rest, cause: error, hint: `Is it a shell line? Then: amux computer exec --shell -- ${quoted(line)}` })
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
