import type { CheckpointInfo } from '../../contract/index.ts'

/** So many of those that amux makes by itself are kept, … */
export const MOST = 10
/** … none of them longer than this. The newest safety point stays: it is the way back from the last restore. */
export const OLDEST_MS = 14 * 86_400_000

/**
 * Which may go, of all, newest first. Those that somebody asked for never. Ages are against the newest one, by the clock of the
 * computer's machine: one here that is wrong must not cost anybody his way back.
 */
export function outdated(points: readonly Pick<CheckpointInfo, 'id' | 'kind' | 'createdAt'>[]): string[] {
  const now = Date.parse(points[0]?.createdAt ?? '')
  const own = points.filter(({ kind }) => kind !== 'manual')
  const back = own.find(({ kind }) => kind === 'safety')
  return own.filter((one, index) => one !== back && (index >= MOST || now - Date.parse(one.createdAt) > OLDEST_MS)).map(({ id }) => id)
}
