import type { EquippedComputer } from '../contract/index.ts'
import { hasCode } from '../errors/index.ts'
import { type ForwardEvents, type Forward, type Listening, forward } from '../ports/index.ts'

/** A browser tries again and again: the same trouble is told once, until something got through. */
export function once(tell: (message: string) => void): ForwardEvents {
  let last: string | undefined
  return {
    onOpen: () => (last = undefined),
    onProblem(message) {
      if (message !== last) tell(message)
      last = message
    },
  }
}

/** On loopback, at the same port as there or, where that is taken, at any. */
export async function listenFor(computer: Pick<EquippedComputer, 'tunnel'>, remote: number, tell: (message: string) => void): Promise<Listening> {
  const wanted: Forward = { address: '127.0.0.1', local: remote, remote, host: '127.0.0.1' }
  try {
    return await forward(computer, wanted, once(tell))
  } catch (error) {
    if (!hasCode(error, 'conflict', 'permission_denied')) throw error
    return forward(computer, { ...wanted, local: 0 }, once(tell))
  }
}

/** Ctrl-C and the time limit are how it ends; the exit status says which. */
export async function interrupted(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
  throw signal.reason
}
