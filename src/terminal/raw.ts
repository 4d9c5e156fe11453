import fs from 'node:fs'
import type { ScreenModes } from './screen-modes.ts'

export interface RawTerminal {
  /** Gives the user the terminal back as it was. Idempotent. */
  restore(): void
}

interface RawInput {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

export interface RawOptions {
  readonly input: RawInput
  /** Where the program draws; undefined when that is no terminal. */
  readonly screen: number | undefined
  readonly modes: ScreenModes
  /** The terminal is ours again after a suspension from outside: draw anew. */
  onResume?(): void
}

/**
 * Every key goes to the program from now on. However this process ends, short of SIGKILL, the terminal is given back:
 * the hook on `exit` also runs for uncaught errors, and those signals that would end the process without it are the
 * caller's to handle (`Local.onEnd`).
 */
export function enterRaw({ input, screen, modes, onResume }: RawOptions): RawTerminal {
  let active = false
  const enter = (): void => {
    active = true
    if (input.isTTY === true) input.setRawMode?.(true)
  }
  const leave = (): void => {
    if (!active) return
    active = false
    if (input.isTTY === true) quietly(() => input.setRawMode?.(false))
    if (screen !== undefined) writeAll(screen, modes.undo())
  }
  let again = ''
  const suspend = (): void => {
    again = modes.redo()
    leave()
    process.kill(process.pid, 'SIGSTOP')
  }
  const resume = (): void => {
    // Stopped without a word, it may have lost the raw mode to the shell; Node only sets what it believes to be different.
    if (active && input.isTTY === true) quietly(() => input.setRawMode?.(false))
    enter()
    if (screen !== undefined) writeAll(screen, again)
    modes.feed(Buffer.from(again, 'latin1'))
    again = ''
    onResume?.()
  }
  enter()
  process.once('exit', leave)
  process.on('SIGTSTP', suspend)
  process.on('SIGCONT', resume)
  return {
    restore(): void {
      process.off('exit', leave)
      process.off('SIGTSTP', suspend)
      process.off('SIGCONT', resume)
      leave()
    },
  }
}

/** Synchronous: there may be no later turn of the event loop. */
function writeAll(fd: number, text: string): void {
  let rest: Uint8Array = Buffer.from(text, 'latin1')
  quietly(() => {
    while (rest.length > 0) rest = rest.subarray(fs.writeSync(fd, rest))
  })
}

/** The terminal may be gone: closed window, cut line. Then there is nothing left to restore. */
function quietly(work: () => void): void {
  try {
    work()
  } catch {
    return
  }
}
