import { type Asked, ask, script } from './ask.ts'
import type { Agent } from './roster.ts'

const LOOK = `
while [ "$1" != -- ]; do [ -s "$HOME/$1" ] && exit 0; shift; done; shift
for name; do printenv "$name" > /dev/null && exit 0; done
exit 1
`

/** One line for people when the agent has neither a login nor a key on the computer, so far as one can see. */
export async function loginHint(computer: Asked, agent: Agent, env: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<string | undefined> {
  if (agent.credentials.some((name) => name in env)) return undefined
  const { status } = await ask(computer, script(LOOK, ...agent.loggedIn, '--', ...agent.credentials), signal ? { signal } : {})
  if (status !== 1) return undefined
  const [variable] = agent.credentials
  const byKey = variable === undefined ? '' : `, or give a key: -e ${variable}`
  return `${agent.title} has no login on ${computer.name} yet: ${agent.login}${byKey}`
}
