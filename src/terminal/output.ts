import type { Writable } from 'node:stream'
import type { AmuxError, ByteSource } from '../contract/index.ts'
import { normalise } from '../errors/index.ts'
import type { LocalOutput } from './local.ts'

const gone = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED'])

/** A source that can write itself into a Node stream, without a promise for every piece. */
interface Direct extends ByteSource {
  writeTo(writable: Writable): Promise<void>
}

/** A local stream that a program's output goes to. */
export class LocalSink {
  private readonly stream: LocalOutput
  private error: NodeJS.ErrnoException | undefined
  private readonly onError = (error: NodeJS.ErrnoException): void => {
    this.error ??= error
  }

  constructor(stream: LocalOutput) {
    this.stream = stream
    stream.on('error', this.onError)
  }

  /** Nothing can be written any more. */
  get broken(): boolean {
    return this.error !== undefined
  }

  /** Why nothing can be written, unless the reader just left: a closed pipe, a terminal that went away. */
  get failure(): AmuxError | undefined {
    return this.error === undefined || gone.has(this.error.code ?? '') ? undefined : normalise(this.error)
  }

  /** Resolves once the system took the bytes, or when it never will: see `broken`. */
  write(chunk: Uint8Array): Promise<void> {
    if (this.error !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.stream.write(chunk, (error) => {
        if (error) this.error ??= error
        resolve()
      })
    })
  }

  /**
   * Writes everything, at the pace of whoever reads it. What can no longer be written is let through after one call of
   * `onBroken`: the program shall not hang because nobody listens.
   */
  async take(source: ByteSource, onBroken: () => void, see?: (chunk: Uint8Array) => void): Promise<void> {
    if (see === undefined && isDirect(source)) return this.takeDirectly(source, onBroken)
    let told = false
    for await (const chunk of source) {
      see?.(chunk)
      await this.write(chunk)
      if (this.broken && !told) onBroken()
      told = this.broken
    }
  }

  /** The stream goes back to its owner, whose handlers of errors count again. */
  release(): void {
    if (this.error === undefined) this.stream.off('error', this.onError)
  }

  private async takeDirectly(source: Direct, onBroken: () => void): Promise<void> {
    try {
      await source.writeTo(this.stream)
    } catch (error) {
      if (!this.broken) throw error
      onBroken()
    }
  }
}

function isDirect(source: ByteSource): source is Direct {
  return 'writeTo' in source && typeof source.writeTo === 'function'
}
