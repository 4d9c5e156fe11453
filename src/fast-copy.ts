import { Progress } from './cli/progress.ts'
import { copy } from './cli/verbs/copy.ts'
import type { Copy } from './cli/verbs/copy-words.ts'
import type { RunHost } from './cli/verbs/run.ts'
import type { GuestClient } from './emulation/client/index.ts'
import { fail } from './errors/index.ts'

export interface CopyFlags {
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
}

/** `amux computer cp` with a guest that has answered. */
export async function fastCopy(what: Copy, { json = false, quiet = false }: CopyFlags, guest: GuestClient, host: RunHost & { readonly signal: AbortSignal }): Promise<number> {
  const progress = new Progress(process.stderr, process.env)
  const { files, archive } = guest
  await copy(what, {
    sides: { name: host.computer.name, files, archive, spawn: (argv, options) => guest.spawn(argv, options) },
    place: () => Promise.resolve({ directory: host.directory }),
    signal: host.signal,
    json,
    say(text) {
      progress.clear()
      host.say(text)
    },
    progress(text) {
      if (!quiet && !json) progress.show(text)
    },
    print: (document, text) => host.print(document, text),
    bytes: () => Promise.reject(fail('internal', 'a stream goes the ordinary way')),
  }).finally(() => progress.clear())
  return 0
}
