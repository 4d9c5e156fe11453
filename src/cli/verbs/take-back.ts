import type { SessionInfo } from '../../contract/index.ts'
import { cleanLine } from '../../util/text.ts'
import { ask, canAsk } from '../confirm.ts'

interface Asking {
  readonly yes: boolean
  readonly signal: AbortSignal
}

/** Whether to go back to what runs already. Where nobody can answer: yes. */
export async function takesBack({ id, cwd }: SessionInfo, title: string, { yes, signal }: Asking): Promise<boolean> {
  if (yes || !canAsk()) return true
  const what = cleanLine(`${title} runs here already, detached (session ${id}, ${cwd}).`)
  return !/^n/iu.test(await ask(`${what} Go back to it? [Y/n: start a new one] `, signal))
}

/** Whether to go on with what a restore ended. Where nobody can answer it says how, and begins anew. */
export async function resumes({ id }: SessionInfo, title: string, command: string, { yes, signal, say }: Asking & { say(text: string): void }): Promise<boolean> {
  if (yes) return true
  if (canAsk()) return !/^n/iu.test(await ask(`A restore ended ${title} (session ${id}). Go on with its conversation? [Y/n: begin a new one] `, signal))
  say(`amux: a restore ended ${title} before; to go on with its conversation: ${command}`)
  return false
}
