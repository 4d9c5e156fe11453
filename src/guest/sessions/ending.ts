import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Place } from '../../protocol/index.ts'

/** Why sessions ended together with their computer. */
export type EndReason = 'stopped' | 'restored'

/** On disk, since it is also for those that a sudden end leaves no time. */
export function writeEnding(store: string, reason: EndReason): void {
  writeFileSync(join(store, Place.ending), reason, { mode: 0o600 })
}

export function readEnding(store: string): EndReason {
  try {
    return readFileSync(join(store, Place.ending), 'utf8') === 'restored' ? 'restored' : 'stopped'
  } catch {
    return 'stopped'
  }
}

export function forgetEnding(store: string): void {
  rmSync(join(store, Place.ending), { force: true })
}
