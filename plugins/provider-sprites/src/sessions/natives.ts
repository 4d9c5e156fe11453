import type { TerminalSize } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'
import { Execution } from '../exec/execution.ts'
import type { Sprite } from '../sprite.ts'

export interface NativeSession {
  readonly id: string | number
  readonly command?: string
  readonly tty?: boolean
  readonly workdir?: string
  readonly created?: string
  readonly last_activity?: string
}

/** A size for a terminal that nobody said one for. */
export const ORDINARY: TerminalSize = { cols: 80, rows: 24 }

/** What the service says that runs. */
export async function natives(sprite: Sprite): Promise<readonly NativeSession[]> {
  const { sessions } = await sprite.client.json<{ readonly sessions?: readonly NativeSession[] | null }>('GET', sprite.path('exec'))
  return Array.isArray(sessions) ? sessions.filter((session): session is NativeSession => session instanceof Object && 'id' in session) : []
}

/** The service's id of the session that runs a recorder. */
export async function nativeOf(sprite: Sprite, dir: string): Promise<string | undefined> {
  const found = (await natives(sprite)).find(({ command }) => typeof command === 'string' && command.split(' ').includes('record') && command.split(' ').includes(dir))
  return found && String(found.id)
}

/** One of them, seen again; with a size, if it has a terminal. `not_found` once it ended. */
export async function openNative(sprite: Sprite, native: string, tty: TerminalSize | undefined, what = 'the session'): Promise<Execution> {
  const socket = await sprite.client.socket(sprite.path('exec', native), { query: { stdin: true } })
  const onFailure = async () => fail('not_found', `${what} has ended`, { computer: sprite.name })
  const screen = new Execution(sprite, socket, { tty, signal: undefined, onFailure })
  await screen.begun
  return screen
}
