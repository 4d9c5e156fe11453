import { type Asked, ask, script } from './ask.ts'
import { type Agent, roster } from './roster.ts'

const LOOK = `
for line; do
  set -f; set -- $line; set +f
  name=$1; shift
  command -v -- "$name" > /dev/null && echo "$name" && continue
  for dir; do [ -x "$HOME/$dir/$name" ] && echo "$name" && break; done
done
exit 0
`

/** The agents whose programs are on a computer, by one quick look. */
export async function installedAgents(computer: Asked, signal: AbortSignal): Promise<readonly Agent[]> {
  const { stdout } = await ask(computer, script(LOOK, ...roster.map(({ command, directories }) => [command, ...directories].join(' '))), { signal })
  const found = new Set(stdout.split('\n'))
  return roster.filter(({ command }) => found.has(command))
}
