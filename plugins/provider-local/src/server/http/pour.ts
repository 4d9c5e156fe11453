import type { ServerResponse } from 'node:http'

/** At the reader's pace. False: it is gone. */
export async function poured(response: ServerResponse, chunk: Uint8Array): Promise<boolean> {
  if (response.write(chunk)) return true
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
  return !response.destroyed
}
