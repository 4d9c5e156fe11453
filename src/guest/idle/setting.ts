import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GuestConfig, type IdleSetting, Place, type Slept } from '../../protocol/index.ts'

/** In the store, where restores, updates and new guests leave it. */
export class Setting {
  readonly #store: string

  constructor({ store }: Pick<GuestConfig, 'store'>) {
    this.#store = store
  }

  /** Milliseconds; undefined: never, also where the file is damaged, since a computer that stops unasked is worse. */
  read(): number | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(join(this.#store, Place.idle), 'utf8'))
      return value instanceof Object && 'after' in value && isAfter(value.after) ? value.after : undefined
    } catch {
      return undefined
    }
  }

  write(after: number | undefined): void {
    if (after === undefined) this.#remove(Place.idle)
    else this.#put(Place.idle, { after } satisfies IdleSetting)
  }

  sleeps(slept: Slept): void {
    this.#put(Place.slept, slept)
  }

  wakes(): void {
    this.#remove(Place.slept)
  }

  #put(name: string, document: object): void {
    const path = join(this.#store, name)
    writeFileSync(`${path}.new`, JSON.stringify(document), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  #remove(name: string): void {
    rmSync(join(this.#store, name), { force: true })
  }
}

export function isAfter(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < 2 ** 31
}
