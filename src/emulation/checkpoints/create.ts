import { randomBytes } from 'node:crypto'
import type { CheckpointInfo, Frozen } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { formatBytes } from '../../util/bytes.ts'
import { type Answer, Tool, wasEnded } from '../aside/index.ts'
import { explain } from './explain.ts'
import { marked, parseMade, parsePoint, type Point } from './info.ts'
import { type Part, partTrees } from './parts.ts'
import { points } from './points.ts'
import { type Disk, ENGINE, requestText, STORE, treesOf } from './store.ts'

/** How often it is begun anew. */
const AGAIN = 2

export interface Maker {
  readonly computer: Disk
  progress(message: string): void
  debug(message: string): void
  /** The computer does not stop by itself meanwhile. */
  hold(): Promise<void>
}

export interface MakeOptions {
  /** Ids are `v…` or `auto-…`. */
  readonly series: 'v' | 'auto'
  readonly meta: string
  /** Programs stand still for the last pass. Without, what is written meanwhile may be seen half. */
  readonly still: boolean
  readonly workspace: boolean
  /** A point that there must be: nothing is made where it is missing. */
  readonly expect?: string
  /** Told of all others, newest first, once it is made. */
  readonly onPoints?: (points: readonly Point[]) => void
  /** Of a restore that is to follow: only these. */
  readonly paths?: readonly string[] | undefined
  /** Only these. */
  readonly parts?: readonly Part[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** Makes a point of a disk as it is now; there once it would survive a power cut. */
export async function make(maker: Maker, options: MakeOptions): Promise<CheckpointInfo> {
  const mark = randomBytes(8).toString('hex')
  const meta = marked(options.meta, mark)
  for (let left = AGAIN; ; left--) {
    try {
      return await makeOnce(maker, { ...options, meta })
    } catch (error) {
      if (!wasEnded(error) || left === 0) throw error
      // It may have been ended between its last write and its word.
      const all = await points(maker.computer)
      const made = all.find((point) => point.mark === mark)
      if (made !== undefined) return (options.onPoints?.(all.filter((point) => point !== made)), made.info)
      maker.debug(`a checkpoint of ${maker.computer.name} is begun anew, as somebody stops that: ${String(error)}`)
    }
  }
}

async function makeOnce(maker: Maker, { series, meta, still, workspace, parts, paths, expect, onPoints, signal }: MakeOptions): Promise<CheckpointInfo> {
  const { computer } = maker
  if (still) await maker.hold()
  const argv = [ENGINE, 'create', STORE, series, meta, ...(still ? ['--pause'] : []), ...(workspace ? [] : ['--skip-shared']), ...(expect === undefined ? [] : ['--expect', expect]), ...(onPoints ? ['--list'] : [])] as const
  const trees = treesOf(computer)
  // Awaited below: where the tool does not start, its reason is the one that counts.
  trees.catch(() => undefined)
  const tool = await Tool.start(computer, [...argv], { disk: 'read', store: true, explain, ...(signal && { signal }) })
  const others: Point[] = []
  let frozen: Frozen | undefined
  try {
    await tool.send(requestText(partTrees(await trees, parts), { paths }))
    for await (const answer of tool.answers()) {
      if (answer.word === 'ready') {
        frozen = await freeze(maker)
        await tool.send('go\n')
      } else if (answer.word === 'still') await frozen?.thaw()
      else if (answer.word === 'point') others.push(parsePoint(answer.fields[0] ?? ''))
      else if (answer.word === 'done') return (onPoints?.(others), parseMade(answer.fields[0], meta))
      else tell(maker, answer)
    }
  } finally {
    await frozen?.thaw()
    await tool.end()
  }
  throw fail('internal', 'the checkpoint was made, and nothing said so')
}

async function freeze({ computer, debug }: Maker): Promise<Frozen | undefined> {
  try {
    return await computer.freeze?.()
  } catch (error) {
    // A checkpoint of what runs on is worth more than none; the docs say what it may show.
    debug(`${computer.name} cannot be frozen: ${String(error)}`)
    return undefined
  }
}

/** What a run of the engine says on the way. */
export function tell({ progress }: Pick<Maker, 'progress'>, { word, fields }: Answer): void {
  if (word === 'waiting') progress('Waiting for another amux that works on the checkpoints')
  if (word === 'copied') progress(`Copying: ${formatBytes(Number(fields[0]))}, ${fields[1]} files`)
}
