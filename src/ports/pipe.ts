import type { Readable, Writable } from 'node:stream'
import type { ByteStream, EquippedComputer } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

export interface Ends {
  readonly input: Readable
  readonly output: Writable
}

/** `HOST:PORT` as the computer sees it; `[::1]:22`, `:22` for its own loopback. */
export function parseTarget(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/u.exec(text) ?? []
  const port = Number(digits ?? 0)
  if (port < 1 || port > 65_535) throw fail('invalid_argument', `-W ${text}: it is not HOST:PORT`, { hint: 'Write -W localhost:22.' })
  return { host: bracketed ?? (plain || '127.0.0.1'), port }
}

/** One connection into a computer on two streams of this process, until the far side has ended. */
export async function pipe(computer: Pick<EquippedComputer, 'tunnel'>, { host, port }: { readonly host: string; readonly port: number }, { input, output }: Ends, signal: AbortSignal): Promise<void> {
  const tunnel = await computer.tunnel(port, { host, signal })
  const onAbort = () => tunnel.close()
  signal.addEventListener('abort', onAbort, { once: true })
  // What is typed after the far side ended has nowhere to go.
  const up = upload(input, tunnel).catch(() => undefined)
  try {
    await download(tunnel, output)
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', onAbort)
    tunnel.close()
    input.destroy()
    await up
  }
}

async function upload(input: Readable, { sink }: ByteStream): Promise<void> {
  for await (const chunk of input) await sink.write(chunk as Buffer)
  await sink.end()
}

async function download({ source }: ByteStream, output: Writable): Promise<void> {
  for await (const chunk of source) {
    const broken = await new Promise<Error | null | undefined>((resolve) => output.write(chunk, resolve))
    // Its reader has gone.
    if (broken) return
  }
}
