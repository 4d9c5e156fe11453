import type { TerminalSize } from '../contract/index.ts'
import type { DriveOptions, Front, Leave } from './drive.ts'
import { DetachScanner } from './detach-keys.ts'
import { Feed } from './feed.ts'
import { mute, Typist } from './input.ts'
import type { Local } from './local.ts'
import { enterRaw } from './raw.ts'
import { ScreenModes } from './screen-modes.ts'
import { Shortcut } from './shortcut.ts'
import { Resizer, sizeOf } from './size.ts'

/** Long enough for programs to see two sizes instead of one. */
const NUDGE_MS = 50
const HANGUP = 129
const CTRL_C = 3
const NEWLINE = 10

/** The size the program should have here. */
export function localSize(local: Local): TerminalSize {
  return sizeOf(local.stdout, local.stderr)
}

/** A program with a terminal, shown in ours: keys go to it as they are, and it follows our size. */
export function openScreen(options: DriveOptions, local: Local, leave: Leave): Front {
  const { attachment, readOnly = false } = options
  const screen = local.stdout.isTTY === true
  let last = NEWLINE
  const modes = new ScreenModes()
  const resizer = new Resizer(attachment.session.size ?? localSize(local), (size) => attachment.resize(size))
  const onSize = (): void => resizer.change(localSize(local))
  const see = (chunk: Uint8Array): void => {
    if (!screen) return
    modes.feed(chunk)
    last = chunk.at(-1) ?? last
  }
  const gone = (): void => leave(HANGUP, 'the terminal is gone')
  const scanner = new DetachScanner(options.detachKeys)
  const keys = local.stdin.isTTY === true ? openKeys(options, local, { scanner, leave, gone }) : undefined
  const shortcut = keys && screen && !readOnly ? Shortcut.of({ attachment, local, keys, scanner, see, gone }) : undefined
  const raw = enterRaw({
    input: local.stdin,
    keys: shortcut ?? local.stdin,
    screen: screen ? (local.stdout.fd ?? 1) : undefined,
    modes,
    onResume: () => void nudge(resizer, local),
  })
  if (screen && !readOnly) {
    local.stdout.on('resize', onSize)
    onSize()
  }
  const feed = keys === undefined ? passInput(options, local) : undefined
  shortcut?.expect()
  return {
    see,
    onBroken: gone,
    settle: () => shortcut?.end(),
    close() {
      local.stdout.off('resize', onSize)
      const within = screen && !modes.alternate && last !== NEWLINE
      raw.restore()
      keys?.stop()
      feed?.stop()
      local.stdin.destroy()
      return within
    },
  }
}

interface Typing {
  readonly scanner: DetachScanner
  readonly leave: Leave
  gone(): void
}

/** The detach keys also work while the program does not read, or while the connection is away. */
function openKeys({ attachment, readOnly = false }: DriveOptions, local: Local, { scanner, leave, gone }: Typing): Typist {
  const onDetach = (): void => leave(0, 'detached')
  return new Typist({
    input: local.stdin,
    sink: readOnly ? mute((chunk) => void (chunk.includes(CTRL_C) && onDetach())) : attachment.stdin,
    look(keys) {
      const { forward, detach } = scanner.scan(keys)
      if (detach) onDetach()
      return forward
    },
    // The terminal is no more. The program's input does not end with it: it lives on.
    onEnd: gone,
  })
}

/** What is no terminal. */
function passInput({ attachment, input, readOnly = false }: DriveOptions, local: Local): Feed | undefined {
  if (input === 'pass' && !readOnly) return new Feed(attachment, local, () => undefined)
  if (input === 'end') void attachment.stdin.end().catch(() => undefined)
  return undefined
}

/** Makes the program draw itself anew: telling it the size it has is not enough. */
async function nudge(resizer: Resizer, local: Local): Promise<void> {
  const { cols, rows } = localSize(local)
  resizer.change({ cols, rows: Math.max(1, rows - 1) })
  await new Promise((resolve) => setTimeout(resolve, NUDGE_MS))
  resizer.change({ cols, rows })
}
