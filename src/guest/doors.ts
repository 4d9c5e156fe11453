import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/*
 * Doors: sockets in `run`, each for one connection that passes none of Node's streams.
 */

const NAME = /^a[0-9a-f]{8}$/

export function doorName(): string {
  return `a${randomBytes(4).toString('hex')}`
}

/** Of a guest that was killed. */
export function removeDoors(run: string): void {
  if (!existsSync(run)) return
  for (const name of readdirSync(run)) if (NAME.test(name)) rmSync(join(run, name), { force: true })
}
