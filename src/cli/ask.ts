import { fail } from '../errors/index.ts'
import { clean } from '../util/text.ts'

export interface Question {
  readonly prompt: string
  /** What is typed is not shown. */
  readonly secret: boolean
}

/** One line: typed on a terminal, or the next line of stdin where there is none. */
export async function ask(questions: readonly Question[], signal: AbortSignal): Promise<string[]> {
  const { createInterface } = await import('node:readline/promises')
  const { Writable } = await import('node:stream')
  const live = process.stdin.isTTY === true && process.stderr.isTTY === true
  let hidden = false
  const output = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      if (!hidden) process.stderr.write(chunk)
      done()
    },
  })
  const terminal = createInterface({ input: process.stdin, output, terminal: live })
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const lines = live ? undefined : terminal[Symbol.asyncIterator]()
  const answers: string[] = []
  try {
    for (const { prompt, secret } of questions) {
      if (lines) {
        answers.push(String((await lines.next()).value ?? '').trim())
        continue
      }
      hidden = false
      const answer = terminal.question(`${clean(prompt)}: `, { signal })
      hidden = secret
      answers.push((await answer).trim())
      if (secret) process.stderr.write('\n')
    }
    return answers
  } catch (error) {
    throw signal.aborted ? signal.reason : fail('failed', 'no answer', { cause: error })
  } finally {
    terminal.close()
  }
}
