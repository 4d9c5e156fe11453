import type { DriveOptions, Front, Leave } from './drive.ts'
import { copyInput, hasInput } from './input.ts'
import type { Local } from './local.ts'
import { escalate } from './stop.ts'

/** A program without a terminal: bytes in, bytes out. */
export function openPipes({ attachment, input, readOnly = false }: DriveOptions, local: Local, leave: Leave): Front {
  const stdin = input === 'pass' && !readOnly && hasInput(local) ? local.stdin : undefined
  if (stdin !== undefined) void copyInput(stdin, attachment.stdin)
  else if (input !== 'none' && !readOnly) void attachment.stdin.end().catch(() => undefined)
  return {
    see: undefined,
    // What a local program meets when it writes on; an onlooker's end is no concern of the program's.
    onBroken: (over) => (readOnly ? leave(0, 'left') : void escalate(attachment, over, ['SIGPIPE', 'SIGTERM', 'SIGKILL'])),
    close() {
      stdin?.destroy()
      return false
    },
  }
}
