import { fail } from '../errors/index.ts'
import { clean } from '../util/text.ts'

/** Asks on the terminal. Without one it refuses: a script says `--yes`. */
export async function confirm(question: string, signal: AbortSignal): Promise<void> {
  if (!canAsk()) throw fail('confirmation_required', question, { hint: 'Add --yes to confirm.' })
  const answer = await ask(`${question} [y/N] `, signal)
  if (!/^y(es)?$/i.test(answer)) throw fail('confirmation_required', 'not confirmed: nothing was changed')
}

export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/** One line from the terminal. */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // A terminal in raw mode gives Ctrl-C as a key: hand it on as what it is outside of the question.
    terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    return (await terminal.question(clean(question), { signal })).trim()
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
    // Ctrl-D: no answer is none.
    process.stderr.write('\n')
    return ''
  } finally {
    terminal.close()
  }
}
