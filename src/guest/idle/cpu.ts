import { computers, processes, type Seen } from './processes.ts'

/** Below this share of one core a process rests: servers and agents that wait use a little now and then. */
const SHARE = 0.02
/** Fewer are noise. */
const TICKS = 3
const BRIEF = 500
const OLD = 60_000

interface Sample {
  readonly at: number
  readonly all: ReadonlyMap<number, Seen>
}

export interface Busy {
  readonly pid: number
  readonly name: string
  readonly share: number
  /** Its pid and those of its ancestors. */
  readonly line: readonly number[]
}

/** Who used CPU time since the last question; without a recent one, in the half second from now. */
export class CpuWatch {
  #last: Sample | undefined

  async busy(): Promise<Busy[]> {
    const before = await this.#before()
    const now: Sample = { at: performance.now(), all: processes() }
    this.#last = now
    const elapsed = (now.at - before.at) / 10
    return computers(now.all, process.pid)
      .map((seen) => ({ seen, ticks: seen.ticks - sameBefore(before, seen) }))
      .filter(({ ticks }) => ticks >= TICKS && ticks / elapsed >= SHARE)
      .toSorted((a, b) => b.ticks - a.ticks)
      .map(({ seen, ticks }) => ({ pid: seen.pid, name: seen.name, share: ticks / elapsed, line: lineOf(seen, now.all) }))
  }

  async #before(): Promise<Sample> {
    const age = performance.now() - (this.#last?.at ?? -Infinity)
    if (this.#last !== undefined && age >= BRIEF && age <= OLD) return this.#last
    const first: Sample = { at: performance.now(), all: processes() }
    await new Promise((resolve) => setTimeout(resolve, BRIEF))
    return first
  }
}

function sameBefore(before: Sample, seen: Seen): number {
  const earlier = before.all.get(seen.pid)
  return earlier?.start === seen.start ? earlier.ticks : 0
}

function lineOf(seen: Seen, all: ReadonlyMap<number, Seen>): number[] {
  const line: number[] = []
  for (let at: Seen | undefined = seen; at !== undefined && !line.includes(at.pid); at = all.get(at.parent)) line.push(at.pid)
  return line
}
