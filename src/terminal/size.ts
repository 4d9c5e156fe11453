import type { TerminalSize } from '../contract/index.ts'

const FALLBACK: TerminalSize = { cols: 80, rows: 24 }

interface Sized {
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** The size of the first stream that has one; a terminal that reports nothing useful counts as 80x24. */
export function sizeOf(...streams: readonly Sized[]): TerminalSize {
  for (const { columns, rows } of streams) {
    if (columns !== undefined && rows !== undefined && columns > 0 && rows > 0) return { cols: columns, rows }
  }
  return FALLBACK
}

/**
 * Passes sizes on, one at a time: while one is on its way only the newest further one is remembered. A storm of
 * changes costs as many messages as there are round trips in it, and always ends with the true size.
 */
export class Resizer {
  private readonly send: (size: TerminalSize) => Promise<void>
  private current: TerminalSize
  private wanted: TerminalSize
  private busy = false

  constructor(initial: TerminalSize, send: (size: TerminalSize) => Promise<void>) {
    this.send = send
    this.current = initial
    this.wanted = initial
  }

  change(size: TerminalSize): void {
    this.wanted = size
    if (!this.busy) void this.drain()
  }

  private async drain(): Promise<void> {
    this.busy = true
    try {
      while (!same(this.wanted, this.current)) {
        this.current = this.wanted
        await this.send(this.current)
      }
    } catch {
      // The connection is gone: whoever waits for the exit reports it, and a re-attach brings the size along.
    } finally {
      this.busy = false
    }
  }
}

function same(a: TerminalSize, b: TerminalSize): boolean {
  return a.cols === b.cols && a.rows === b.rows
}
