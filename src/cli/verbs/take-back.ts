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
