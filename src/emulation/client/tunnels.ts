import { fail, hasCode, normalise } from '../../errors/index.ts'
import { Path } from '../../protocol/index.ts'
import type { Pourable } from '../../util/pour.ts'
import { streamOf } from '../../util/streams.ts'
import { names } from './exit.ts'
import type { CallHost } from './host.ts'
import type { TunnelOptions } from './tunnel.ts'
import { TunnelSocket } from './tunnel-socket.ts'

/** Where the guest takes them, and which guest is meant. */
export interface DirectWay {
  readonly socket: string
  readonly nonce: string
  /** Whether it opens doors beside that, for archives. */
  readonly doors: boolean
}

/** A client's tunnels that have a socket each, on the guest's own machine. */
export class DirectTunnels {
  readonly #open = new Set<TunnelSocket>()

  get unused(): boolean {
    return this.#open.size === 0
  }

  /** Undefined: not this way. It may be another guest by now, or one that takes no more. */
  async open(host: CallHost, { socket, nonce }: DirectWay, port: number, options: TunnelOptions): Promise<Pourable | undefined> {
    const { signal } = options
    const details = { source: 'transport', ...names(host) } as const
    const tunnel = new TunnelSocket(socket, { path: Path.tunnel, nonce, host: options.host ?? '127.0.0.1', port })
    const onAbort = () => void tunnel.destroy()
    signal?.addEventListener('abort', onAbort)
    this.#open.add(tunnel)
    tunnel.once('close', () => {
      signal?.removeEventListener('abort', onAbort)
      this.#open.delete(tunnel)
    })
    try {
      if (await tunnel.standing) {
        const lost = (cause: unknown): never => {
          throw fail('connection_lost', 'the stream ended before its end', { ...details, cause })
        }
        return { ...streamOf(tunnel, details), pour: (into) => tunnel.pour(into).catch(lost) }
      }
    } catch (error) {
      tunnel.destroy()
      if (!hasCode(error, 'conflict')) throw normalise(error, details)
    }
    if (signal?.aborted === true) throw normalise(signal.reason, details)
    return undefined
  }

  /** Resolves once the last of them is over. */
  async finish(): Promise<void> {
    await Promise.all([...this.#open].map((tunnel) => new Promise((resolve) => tunnel.once('close', resolve))))
  }

  close(): void {
    for (const tunnel of this.#open) tunnel.destroy()
  }
}
