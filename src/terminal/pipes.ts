import type { DriveOptions, Front, Leave } from './drive.ts'
import { Feed } from './feed.ts'
import { hasInput } from './input.ts'
import type { Local } from './local.ts'
import { escalate } from './stop.ts'

/** A failure of amux's own. */
const INPUT_LOST = 125

/** A program without a terminal: bytes in, bytes out. */
export function openPipes({ attachment, input, readOnly = false }: DriveOptions, local: Local, leave: Leave): Front {
  const feed = input === 'pass' && !readOnly && hasInput(local) ? new Feed(attachment, local, () => leave(INPUT_LOST, 'some of the input may be lost')) : undefined
  if (feed === undefined && input !== 'none' && !readOnly) void attachment.stdin.end().catch(() => undefined)
  return {
    see: undefined,
    // What a local program meets when it writes on; an onlooker's end is no concern of the program's.
    onBroken: (over) => (readOnly ? leave(0, 'left') : void escalate(attachment, over, ['SIGPIPE', 'SIGTERM', 'SIGKILL'])),
    settle: () => feed?.settle(),
    close() {
      feed?.stop()
      return false
    },
  }
}
