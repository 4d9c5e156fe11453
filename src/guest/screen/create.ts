import type { TerminalSize } from '../../contract/index.ts'
import type { Screen } from './screen.ts'

/** Lines that have scrolled off and are kept. */
export const SCROLLBACK = 2000

/** A new terminal. `reply` gets what it answers to the program's questions; see `Screen` for who may pass that on. */
export async function createScreen(size: TerminalSize, reply: (bytes: Uint8Array) => void): Promise<Screen> {
  const { openScreen } = await import('./open.ts')
  return openScreen(size, reply)
}
