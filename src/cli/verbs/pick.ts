import type { SessionInfo, Sessions } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { commandLine } from './session.ts'

interface Picking {
  readonly sessions: Pick<Sessions, 'list'>
  readonly attachCommand: string
  say(text: string): void
}

/** Without a session named: the newest that nobody has, else the newest. */
export async function pickSession({ sessions, attachCommand, say }: Picking): Promise<string> {
  const running = (await sessions.list()).filter(({ state }) => state.status === 'running')
  const picked = running.find(({ owned }) => !owned) ?? running[0]
  if (picked === undefined) {
    throw fail('not_found', 'no session runs on this computer', { hint: 'Start one: amux computer shell, or amux computer exec -d -- PROGRAM' })
  }
  if (running.length > 1) say(`amux: attaching to ${picked.id} (${titleOf(picked)}), one of ${running.length}; another: ${attachCommand} SESSION`)
  return picked.id
}

function titleOf(session: SessionInfo): string {
  return session.name ?? commandLine(session)
}
