import { refuse } from '../http/errors.ts'

const MOST_MS = 3_600_000
/** At once, of one sprite. */
const MOST = 256

export interface Task {
  readonly name: string
  readonly started_at: string
  readonly expires_at: string
}

/** What keeps a sprite awake. Local computers do not go to sleep by themselves: they are kept and told, no more. */
export class Tasks {
  readonly #tasks = new Map<string, Task>()

  list(): readonly Task[] {
    const now = new Date().toISOString()
    for (const [name, { expires_at }] of this.#tasks) if (expires_at <= now) this.#tasks.delete(name)
    return [...this.#tasks.values()]
  }

  get(name: string): Task {
    const found = this.list().find((task) => task.name === name)
    if (found) return found
    throw refuse(404, 'not_found', `there is no task ${name}`)
  }

  create(name: unknown, expire: unknown): Task {
    if (this.list().some((task) => task.name === name)) throw refuse(409, 'conflict', `there is a task ${String(name)} already`)
    return this.put(name, expire)
  }

  put(name: unknown, expire: unknown): Task {
    if (typeof name !== 'string' || !/^[\w.-]{1,128}$/.test(name)) throw refuse(400, 'invalid_request', 'a task needs a name')
    const now = Date.now()
    const before = this.#tasks.get(name)
    if (!before && this.list().length >= MOST) throw refuse(429, 'too_many', `there are ${MOST} tasks already`)
    const task = { name, started_at: before?.started_at ?? new Date(now).toISOString(), expires_at: new Date(now + milliseconds(expire)).toISOString() }
    this.#tasks.set(name, task)
    return task
  }

  remove(name: string): void {
    this.get(name)
    this.#tasks.delete(name)
  }
}

/** Seconds, or `90s`, `5m`, `1h`. */
function milliseconds(expire: unknown): number {
  const [, amount, unit] = /^(\d+)(s|m|h)?$/.exec(String(expire)) ?? []
  const value = Number(amount) * ({ s: 1000, m: 60_000, h: 3_600_000 }[unit ?? 's'] ?? 1000)
  if (value > 0 && value <= MOST_MS) return value
  throw refuse(400, 'invalid_request', 'expire is a time of at most an hour, in seconds or like 5m')
}
