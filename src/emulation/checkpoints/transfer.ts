import type { ByteSource, Capabilities, CheckpointInfo, ExportOptions, ImportOptions } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { formatBytes } from '../../util/bytes.ts'
import { Tool } from '../aside/index.ts'
import { type Carried, carry, carryTwin } from './carry.ts'
import { checkId, explain } from './explain.ts'
import { metaText, parseMade } from './info.ts'
import { type Manifest, type Origin, readManifest } from './manifest.ts'
import type { Restorer } from './ready.ts'
import { ENGINE, STORE, treesOf } from './store.ts'

const EVERY_MS = 500

/** What is needed of a computer to carry its checkpoints. */
export interface Carrier extends Restorer {
  readonly provider: string
  /** Of amux. */
  readonly version: string
  capabilities(): Promise<Capabilities>
}

/** Constant memory, whatever it holds. */
export async function* exportPoint(carrier: Carrier, id: string, { exact = false, signal }: ExportOptions): AsyncGenerator<Uint8Array, void> {
  checkId(id)
  const origin = JSON.stringify(await originOf(carrier))
  const argv = [ENGINE, 'export', STORE, id, '--origin', origin, ...(exact ? [] : ['--portable'])] as const
  const tool = await Tool.start(carrier.computer, [...argv], { store: true, explain, ...(signal && { signal }) })
  await tool.end()
  yield* tool.bytes()
}

async function originOf({ computer, provider, version }: Carrier): Promise<Origin> {
  const [{ user, workspace }, trees] = await Promise.all([computer.info(), treesOf(computer)])
  const below = Object.fromEntries(trees.flatMap(({ name, below }) => (below === undefined ? [] : [[name, below]])))
  return { amux: version, provider, computer: computer.name, ...(user && { user }), ...(workspace !== undefined && { workspace }), below }
}

export async function importPoint(carrier: Carrier, source: ByteSource, { message, withoutSystem = false, exact = false, signal }: ImportOptions): Promise<CheckpointInfo> {
  const { manifest, tar, leave } = await readManifest(source)
  const refused = async (error: unknown): Promise<never> => {
    await leave()
    throw error
  }
  const { rules, owner, parts, left } = await fitted(carrier, manifest, { withoutSystem, exact }).catch(refused)
  const meta = metaText('manual', message ?? messageOf(manifest), parts)
  const argv = ['import', STORE, meta, ...rules, '--most', String(manifest.size), ...(owner === undefined ? [] : ['--owner', owner]), ...(exact ? [] : ['--portable'])]
  const tool = await Tool.start(carrier.computer, [ENGINE, ...argv], { store: true, explain, ...(signal && { signal }) }).catch(refused)
  let point: CheckpointInfo | undefined
  let over = false
  const answers = (async () => {
    for await (const { word, fields } of tool.answers()) if (word === 'done') point = parseMade(fields[0], meta)
  })().finally(() => (over = true))
  // Where the source fails it is that failure which counts: the tool only sees an early end.
  let broken: unknown
  const fed = feed(carrier, tool, tar, () => over)
    .catch((error: unknown) => (broken = error))
    .finally(() => tool.end())
  await Promise.race([fed, answers.catch(() => undefined)])
  await answers.catch((error: unknown) => {
    throw broken ?? error
  })
  if (point === undefined) throw fail('internal', 'the checkpoint was taken in, and nothing said so')
  if (left.length > 0) carrier.note(`Left out: ${left.join(', ')}. A restore of ${point.id} leaves that as it is.`)
  return point
}

async function fitted({ computer, capabilities }: Carrier, manifest: Manifest, { withoutSystem, exact }: Required<Pick<ImportOptions, 'withoutSystem' | 'exact'>>): Promise<Carried> {
  const [info, trees, { users }] = await Promise.all([computer.info(), treesOf(computer), capabilities()])
  const carried = exact ? carryTwin(manifest, trees) : carry(manifest, { info, trees, oneUser: users.fidelity === 'unavailable' }, withoutSystem)
  if (carried.rules.length > 0) return carried
  throw fail('corrupt', 'nothing that could be taken in is in this checkpoint')
}

function messageOf({ id, message, origin }: Manifest): string {
  const from = origin === undefined || origin.computer === '' ? id : `${id} of ${origin.computer} on ${origin.provider}`
  return `from ${from}${message === undefined ? '' : `: ${message}`}`
}

/** Until the tool has had enough, for better or worse. */
async function feed({ progress }: Carrier, tool: Tool, tar: ByteSource, over: () => boolean): Promise<void> {
  let bytes = 0
  let told = performance.now()
  for await (const chunk of tar) {
    if (over()) return
    await tool.send(chunk)
    bytes += chunk.length
    if (performance.now() - told < EVERY_MS) continue
    told = performance.now()
    progress(`Taking in the checkpoint: ${formatBytes(bytes)}`)
  }
}
