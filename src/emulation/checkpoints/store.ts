import { fail } from '../../errors/index.ts'
import type { Computer, DiskTree } from '../../contract/index.ts'
import { escapeField } from '../aside/index.ts'
import type { PartTree } from './parts.ts'

/** The engine: what makes and restores checkpoints, and where it keeps them. Both as a program aside sees them. */
export const ENGINE = 'amux-disk'
export const STORE = '/store/checkpoints'
const PROCESSES = '/processes'

/** As much of a computer as checkpoints are made of. */
export type Disk = Pick<Computer, 'name' | 'info' | 'start' | 'stop' | 'aside' | 'disk' | 'interrupted' | 'freeze'>

export async function treesOf(computer: Disk): Promise<readonly DiskTree[]> {
  const trees = await computer.disk?.()
  if (trees !== undefined && trees.length > 0) return trees
  throw fail('unsupported', `what is on the disk of ${computer.name} cannot be reached from outside`)
}

/** What the engine is to work on. */
export function requestText(trees: readonly PartTree[], paths: readonly string[] = []): string {
  const lines = trees.flatMap(({ name, path, at, except = [], shared, layer, base, inner }) => {
    const flags = [shared && 'shared', layer && 'layer', inner && 'inner'].filter(Boolean).join(',')
    return [line('tree', name, path, at, flags, base ?? ''), ...except.map((entry) => line('except', name, entry))]
  })
  return [...lines, line('processes', PROCESSES), ...paths.map((path) => line('path', path)), 'end', ''].join('\n')
}

function line(word: string, ...fields: readonly string[]): string {
  return [word, ...fields.map(escapeField)].join('\t')
}
