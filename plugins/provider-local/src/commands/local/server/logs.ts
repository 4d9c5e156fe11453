import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandCall } from '../../../../../../src/contract/index.ts'
import { command } from '../../../../../shared/command.ts'
import { fail, hasCode } from '../../../errors.ts'
import { logFile } from '../../../server/process/single.ts'

const LOOK_MS = 250

export default command({
  summary: 'Print what the server in the background has said.',
  examples: ['<%= config.bin %> <%= command.id %> -f'],
  flags: { follow: { type: 'boolean', char: 'f', summary: 'Go on until interrupted.' } },
  async execute(call) {
    const file = logFile(await call.dataDir('local'))
    let at = await print(call, file, 0)
    while (call.flags['follow'] === true) {
      await sleep(LOOK_MS, undefined, { signal: call.signal }).catch(() => {
        throw call.signal.reason
      })
      at = await print(call, file, at)
    }
  },
})

/** From there to its end, which it returns. A file that became shorter was begun anew. */
async function print(call: CommandCall, file: string, from: number): Promise<number> {
  const handle = await open(file).catch((error: unknown) => {
    throw hasCode(error, 'ENOENT') ? fail('not_found', 'there is no log: no server was started in the background', { hint: 'amux local server start starts one.', source: 'amux' }) : error
  })
  try {
    const { size } = await handle.stat()
    let at = size < from ? 0 : from
    const space = Buffer.alloc(64 * 1024)
    for (;;) {
      const { bytesRead } = await handle.read(space, 0, space.length, at)
      if (bytesRead === 0) return at
      await call.write(space.subarray(0, bytesRead))
      at += bytesRead
    }
  } finally {
    await handle.close()
  }
}
