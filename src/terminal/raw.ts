import fs from 'node:fs'
import { inForeground } from './foreground.ts'
import type { ScreenModes } from './screen-modes.ts'

export interface RawTerminal {
  /** Gives the user the terminal back as it was. Idempotent. */
  restore(): void
}

interface RawInput {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
}

/** Who reads it. */
interface RawKeys {
  pause(): unknown
  resume(): unknown
  /** Resolves once nobody but this process uses the terminal: it is about to be stopped. */
  suspend?(): Promise<void>
}

/** In the background nobody says when that ends. */
const LOOK_MS = 300

export interface RawOptions {
  readonly input: RawInput
  readonly keys: RawKeys
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
export function enterRaw({ input, keys, screen, modes, onResume }: RawOptions): RawTerminal {
  let active = false
  let entered = false
  let restored = false
  let waiting: NodeJS.Timeout | undefined
  let again = ''
  const tty = input.isTTY === true
  const take = (): void => {
    clearInterval(waiting)
    if (!tty || inForeground()) return enter()
    // In the background the keys are the shell's: to read them, or to change the terminal, would stop us.
    keys.pause()
    waiting = setInterval(() => void (inForeground() && take()), LOOK_MS)
  }
  const enter = (): void => {
    // Lost to the shell meanwhile: Node only sets what it believes to be different.
    if (active && tty) quietly(() => input.setRawMode?.(false))
    active = entered = true
    if (tty) {
      quietly(() => input.setRawMode?.(true))
      keys.resume()
    }
    if (screen !== undefined) writeAll(screen, again)
    modes.feed(Buffer.from(again, 'latin1'))
    again = ''
  }
  const leave = (): void => {
    clearInterval(waiting)
    if (!active) return
    active = false
    if (tty) quietly(() => input.setRawMode?.(false))
    if (screen !== undefined) writeAll(screen, modes.undo())
  }
  const leaveForGood = (): void => {
    if (entered && tty && !inForeground()) letGo(input)
    else leave()
  }
  let suspending = false
  const suspend = async (): Promise<void> => {
    if (suspending) return
    suspending = true
    await keys.suspend?.()
    suspending = false
    if (restored) return
    if (!tty || inForeground()) {
      again = modes.redo()
      leave()
    }
    process.kill(process.pid, 'SIGSTOP')
  }
  const resume = (): void => {
    take()
    onResume?.()
  }
  const behind = tty && !inForeground()
  take()
  process.once('exit', leaveForGood)
  if (behind) process.once('exit', forgetTerminal)
  const onSuspend = (): void => void suspend()
  process.on('SIGTSTP', onSuspend)
  process.on('SIGCONT', resume)
  return {
    restore(): void {
      clearInterval(waiting)
      process.off('exit', leaveForGood)
      restored = true
      process.off('SIGTSTP', onSuspend)
      process.off('SIGCONT', resume)
      leaveForGood()
    },
  }
}

/** At its end Node would set the terminal back as it found it, which in the background stops us for good. */
function letGo(input: RawInput): void {
  const handle: unknown = Reflect.get(input, '_handle')
  const fd: unknown = handle instanceof Object ? Reflect.get(handle, 'fd') : undefined
  if (typeof fd === 'number' && fd > 2) quietly(() => fs.closeSync(fd))
}

/**
 * In the end Node sets each terminal it began with to how it was then. For who began in the background that is how the
 * shell's line editor had it.
 */
function forgetTerminal(): void {
  const { isatty } = process.getBuiltinModule('node:tty')
  for (const fd of [0, 1, 2]) if (isatty(fd)) quietly(() => fs.closeSync(fd))
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
