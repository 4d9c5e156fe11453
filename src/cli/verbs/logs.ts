import type { LogChunk } from '../../contract/index.ts'
import { LocalSink, processLocal } from '../../terminal/index.ts'

type Stream = LogChunk['stream']

export interface LogPrinterOptions {
  readonly json: boolean
  say(text: string): void
  event(document: unknown): void
  /** The first byte that is wanted of each stream, where that is known. */
  readonly from?: number
}

/** Prints a log: each stream's bytes where the program wrote them, or one line of JSON for each chunk. */
export class LogPrinter {
  readonly #options: LogPrinterOptions
  readonly #sinks = { stdout: new LocalSink(processLocal.stdout), stderr: new LocalSink(processLocal.stderr) }
  readonly #next: Partial<Record<Stream, number>> = {}

  constructor(options: LogPrinterOptions) {
    this.#options = options
  }

  /** Resolves to false once nobody reads any more. */
  async print(chunk: LogChunk): Promise<boolean> {
    this.#tellGap(chunk)
    if (this.#options.json) {
      this.#options.event(document(chunk))
      return true
    }
    const sink = this.#sinks[chunk.stream]
    await sink.write(chunk.data)
    if (sink.failure !== undefined) throw sink.failure
    return !sink.broken
  }

  #tellGap({ stream, offset, data }: LogChunk): void {
    const expected = this.#next[stream] ?? this.#options.from
    if (expected !== undefined && offset > expected) this.#options.say(`amux: ${offset - expected} bytes of ${stream} are no longer kept`)
    this.#next[stream] = offset + data.length
  }
}

/** Text where it is text, else base64: nothing is lost either way. */
function document({ stream, offset, data }: LogChunk): Record<string, unknown> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const text = bytes.toString('utf8')
  return { stream, offset, length: data.length, ...(Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString('base64') }) }
}
