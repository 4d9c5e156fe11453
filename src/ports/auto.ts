import type { EquippedComputer, PortEvent } from '../contract/index.ts'
import type { Listening } from './forward.ts'

export interface AutoOptions {
  readonly signal: AbortSignal
  /** Ports that are passed on otherwise. */
  skip(port: number): boolean
  /** Makes the listener for a port. */
  listen(port: number): Promise<Listening>
  onOpened(listening: Listening): void
  onClosed(listening: Listening): void
  onProblem(port: number, error: unknown): void
}

/** Passes on whatever opens on a computer, for as long as it is open there. Rejects when that can no longer be told. */
export async function forwardAll(computer: Pick<EquippedComputer, 'ports' | 'tunnel'>, options: AutoOptions): Promise<void> {
  const open = new Map<number, { readonly listening: Listening; count: number }>()
  try {
    for await (const event of computer.ports.events({ signal: options.signal })) await take(event)
  } finally {
    for (const { listening } of open.values()) listening.close()
  }

  /** A port may be open at several addresses. */
  async function take({ type, port }: PortEvent): Promise<void> {
    if (options.skip(port)) return
    const there = open.get(port)
    if (type === 'opened' && there) there.count++
    else if (type === 'opened') await opened(port)
    else if (there && --there.count === 0) closed(port, there.listening)
  }

  async function opened(port: number): Promise<void> {
    try {
      const listening = await options.listen(port)
      open.set(port, { listening, count: 1 })
      options.onOpened(listening)
    } catch (error) {
      options.onProblem(port, error)
    }
  }

  function closed(port: number, listening: Listening): void {
    listening.close()
    open.delete(port)
    options.onClosed(listening)
  }
}
