/** What every measurement shares: rows of one table, medians, rounds that take turns so that drift hits all alike. */

/** One line of the table. Quote ratios: absolute figures move with the machine. */
export interface Row {
  readonly what: string
  /** e.g. `1.8 ms` */
  readonly ours: string
  /** What it is compared with, e.g. `docker exec: 52 ms`; empty for an absolute figure. */
  readonly peer: string
  /** ours / peer for times, ours / peer for rates: always as the target is written. */
  readonly ratio?: number
  /** e.g. `<= 1.0 x` */
  readonly target: string
  readonly met: boolean
}

/** A bench file's default export. A peer that is not there is named in the row, never invented. */
export type Bench = () => Promise<readonly Row[]>

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2
}

/** Runs the contestants in turn, `rounds` times after one warm-up, and gives each one's median in milliseconds. */
export async function race<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, () => Promise<void> | void>>,
): Promise<Record<Name, number>> {
  // Object.entries forgets key types.
  const entries = Object.entries(contestants) as [Name, () => Promise<void> | void][]
  const times = new Map<Name, number[]>(entries.map(([name]) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of entries) {
      const start = performance.now()
      await run()
      if (round >= 0) times.get(name)?.push(performance.now() - start)
    }
  }
  return Object.fromEntries(entries.map(([name]) => [name, median(times.get(name) ?? [])])) as Record<Name, number>
}

export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
}
