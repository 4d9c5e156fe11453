import { type Asked, ask } from './ask.ts'
import { probe } from './probe.ts'
import type { Agent } from './roster.ts'

/** What the program itself says; undefined when it is not on the computer. */
export async function agentVersion(computer: Asked, agent: Agent, signal: AbortSignal): Promise<string | undefined> {
  const { program } = await probe(computer, agent, signal)
  if (program === undefined) return undefined
  const { status, stdout } = await ask(computer, [program, '--version'], { signal, env: agent.env ?? {} })
  return status === 0 ? /\d+\.\d+[\w.+-]*/u.exec(stdout)?.[0] : undefined
}
