import type { ServerHttp2Stream } from 'node:http2'

/**
 * Writes a source to a stream at the pace of its reader, then ends it. When the reader leaves, the source is closed and
 * nothing is thrown: nobody is there to be told.
 */
export async function send(source: AsyncIterable<Uint8Array>, stream: ServerHttp2Stream): Promise<void> {
  for await (const chunk of source) {
    if (stream.destroyed) return
    if (!stream.write(chunk)) await drained(stream)
  }
  stream.end()
}

function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writableNeedDrain) return resolve()
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
