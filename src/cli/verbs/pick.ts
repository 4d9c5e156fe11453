import type { SessionInfo, Sessions } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'

/** Without a session named: the newest that nobody has, else the newest. */
export async function pickSession({ sessions, say }: { readonly sessions: Pick<Sessions, 'list'>; say(text: string): void }): Promise<string> {
  const running = (await sessions.list()).filter(({ state }) => state.status === 'running')
  const picked = running.find(({ owned }) => !owned) ?? running[0]
  if (picked === undefined) {
    throw fail('not_found', 'no session runs on this computer', { hint: 'Start one: amux computer shell, or amux computer exec -d -- PROGRAM' })
  }
  if (running.length > 1) say(`amux: attaching to ${picked.id} (${titleOf(picked)}), one of ${running.length}; others: amux computer session ls`)
  return picked.id
}

export function titleOf({ name, argv }: SessionInfo): string {
  return name ?? argv.join(' ')
}
