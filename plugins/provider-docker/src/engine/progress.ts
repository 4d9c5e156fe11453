import type Docker from 'dockerode'

/** One thing an engine says of long work; which members it has depends on the work. */
export interface ProgressEvent {
  readonly status?: string
  readonly stream?: string
  readonly id?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

/** To its end. What fails is said in the stream, behind a good status; who gives up breaks it off. */
export function follow(docker: Docker, stream: NodeJS.ReadableStream, tell: (event: ProgressEvent) => void, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // A response, which can be destroyed; the types do not say so.
    const stop = () => (stream as NodeJS.ReadableStream & { destroy(): void }).destroy()
    const done = (error: unknown) => {
      signal?.removeEventListener('abort', stop)
      if (signal?.aborted) reject(signal.reason)
      else if (error) reject(error instanceof Error ? error : new Error(String(error)))
      else resolve()
    }
    signal?.addEventListener('abort', stop, { once: true })
    stream.once('close', () => done(signal?.aborted))
    docker.modem.followProgress(stream, done, tell)
  })
}
