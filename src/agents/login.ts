import { type Asked, ask, script } from './ask.ts'
import type { Agent } from './roster.ts'

const LOOK = `
command -v -- "$1" > /dev/null || exit 2; shift
while [ "$1" != -- ]; do [ -s "$HOME/$1" ] && exit 0; shift; done; shift
for name; do printenv "$name" > /dev/null && exit 0; done
exit 1
`

/** What one quick look at a computer tells. */
export interface Glance {
  /** Its program is on the PATH. */
  readonly installed: boolean
  /** One line for people when it has neither a login nor a key there, so far as one can see. */
  readonly hint?: string
}

export async function glance(computer: Asked, agent: Agent, env: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Glance> {
  const { status } = await ask(computer, script(LOOK, agent.command, ...agent.loggedIn, '--', ...agent.credentials), { env, ...(signal && { signal }) })
  return { installed: status !== 2, ...(status === 0 ? {} : { hint: hint(computer, agent) }) }
}

function hint(computer: Asked, { title, login, credentials: [variable] }: Agent): string {
  const byKey = variable === undefined ? '' : `, or give a key: -e ${variable}`
  return `${title} has no login on ${computer.name} yet: ${login}${byKey}`
}
