import { fail } from '../../errors/index.ts'
import type { Computer, DiskTree } from '../../contract/index.ts'
import { escapeField } from '../aside/index.ts'
import type { PartTree } from './parts.ts'

/** The engine: what makes and restores checkpoints, and where it keeps them. Both as a program aside sees them. */
export const ENGINE = 'amux-disk'
export const STORE = '/store/checkpoints'
const PROCESSES = '/processes'

/** As much of a computer as checkpoints are made of. */
export type Disk = Pick<Computer, 'name' | 'info' | 'start' | 'stop' | 'aside' | 'prepareAside' | 'disk' | 'interrupted' | 'freeze'>

export async function treesOf(computer: Disk): Promise<readonly DiskTree[]> {
  const trees = await computer.disk?.()
  if (trees !== undefined && trees.length > 0) return trees
  throw fail('unsupported', `what is on the disk of ${computer.name} cannot be reached from outside`)
}

/** What else a restore is to do. */
export interface Extra {
  readonly paths?: readonly string[] | undefined
  /** Points that go when it is done: the draft of its safety point; those that nobody needs with one more. */
  readonly drop?: string | undefined
  readonly outdated?: readonly string[]
}

/** What the engine is to work on. */
export function requestText(trees: readonly PartTree[], { paths = [], drop, outdated = [] }: Extra = {}): string {
  const lines = trees.flatMap(({ name, path, at, except = [], shared, layer, base, inner }) => {
    const flags = [shared && 'shared', layer && 'layer', inner && 'inner'].filter(Boolean).join(',')
    return [line('tree', name, path, at, flags, base ?? ''), ...except.map((entry) => line('except', name, entry))]
  })
  return [...lines, line('processes', PROCESSES), ...paths.map((path) => line('path', path)), ...(drop === undefined ? [] : [line('drop', drop)]), ...outdated.map((id) => line('outdated', id)), 'end', ''].join('\n')
}

function line(word: string, ...fields: readonly string[]): string {
  return [word, ...fields.map(escapeField)].join('\t')
}
