import type { IdleState } from '../../../src/contract/index.ts'
import type { Sprite } from './sprite.ts'

const WINDOW_MS = 60_000

interface Row {
  readonly id?: unknown
  readonly command?: string
  readonly created?: string
  readonly last_activity?: string
}

/** By what its sessions did last: nothing else of a sprite is told from outside. */
export async function idleState(sprite: Sprite): Promise<IdleState> {
  const { sessions = [] } = await sprite.client.json<{ sessions?: readonly Row[] }>('GET', sprite.path('exec'))
  const times = sessions.map((row) => ({ row, at: Date.parse(row.last_activity ?? row.created ?? '') })).filter(({ at }) => !Number.isNaN(at))
  const working = times.filter(({ at }) => Date.now() - at < WINDOW_MS)
  if (working.length > 0) return { because: working.map(({ row, at }) => `session ${String(row.id)} (${row.command ?? '?'}, ${Math.round((Date.now() - at) / 1000)} s ago)`) }
  const last = Math.max(...times.map(({ at }) => at))
  return { since: new Date(Number.isFinite(last) ? last : Date.now()).toISOString(), because: [] }
}
