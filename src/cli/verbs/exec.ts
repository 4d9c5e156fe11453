import { environment } from '../../config/index.ts'
import { fail } from '../../errors/index.ts'
import { isPlaced, pathOn } from '../../project/directory.ts'
import { type Around, type Launch, launch, launchDetached, reattach } from '../../terminal/index.ts'
import { loginShell } from './login.ts'
import { pickSession } from './pick.ts'
import type { AttachFlags, ExecFlags, ShellFlags } from './tables.ts'

/** What a verb works with, whichever way it was called. */
export interface VerbHost extends Around {
  /** Where on the computer the directory is that the user stands in. */
  readonly directory: string | undefined
  /** Why it is not there: no program is run elsewhere instead. */
  readonly away?: Error | undefined
  /** The result: the document with `--json`, else the text. */
  print(document: unknown, text: () => string): void
}

/** `amux computer exec`. */
export async function exec(flags: ExecFlags, words: readonly string[], host: VerbHost): Promise<number> {
  const program = { ...common(flags, host), argv: flags.shell === true ? shellLine(words) : words, tty: flags.tty, stdin: flags.stdin }
  if (flags.detach !== true) return launch(program, host)
  const session = await launchDetached(program, host)
  host.print(session, () => session.id)
  return 0
}

/** `amux computer shell`. */
export function shell(flags: ShellFlags, host: VerbHost): Promise<number> {
  return launch({ ...common(flags, host), argv: loginShell, tty: undefined, stdin: undefined }, host)
}

/** `amux computer attach`, with a session or the one most likely meant. */
export async function attach(flags: AttachFlags, session: string | undefined, host: VerbHost): Promise<number> {
  const id = session ?? (await pickSession(host))
  return reattach({ id, readOnly: flags['read-only'], stdin: flags.stdin, detachKeys: flags['detach-keys'] }, host)
}

export function common(flags: ShellFlags, host: VerbHost): Omit<Launch, 'argv'> {
  const cwd = workingDirectory(flags, host)
  return {
    env: environment(flags),
    detachKeys: flags['detach-keys'],
    ...(cwd !== undefined && { cwd }),
    ...(flags.user !== undefined && { user: flags.user }),
    ...(flags.name !== undefined && { name: flags.name }),
  }
}

/** Whether it matters to a program where one stands. */
export function needsPlace({ workdir }: Pick<ExecFlags, 'workdir'>): boolean {
  return workdir === undefined || !isPlaced(workdir)
}

function workingDirectory(flags: Pick<ExecFlags, 'workdir'>, { directory, away }: VerbHost): string | undefined {
  if (away && needsPlace(flags)) throw away
  return flags.workdir === undefined ? directory : pathOn(directory, flags.workdir)
}

function shellLine(words: readonly string[]): readonly string[] {
  const [line, ...more] = words
  if (line === undefined || more.length > 0) {
    throw fail('invalid_argument', `--shell takes one word, the line; there are ${words.length}`, {
      hint: "Quote the whole line: amux computer exec --shell -- 'cd src && ls'",
    })
  }
  return ['/bin/sh', '-c', line]
}

/** A program's words: what follows `--`, else what follows the flags. */
export function programWords(remote: readonly string[] | undefined, bare: readonly string[], hint = 'amux computer exec -- PROGRAM ARGS. For a shell: amux computer shell'): readonly string[] {
  if (remote !== undefined && bare.length > 0) {
    throw fail('invalid_argument', `${JSON.stringify(bare[0])} stands before the --`, {
      hint: 'The program and its arguments all go behind: amux computer exec -- PROGRAM ARGS. A computer is named with -c NAME.',
    })
  }
  const words = remote ?? bare
  if (words.length > 0) return words
  throw fail('invalid_argument', 'which program?', { hint })
}
