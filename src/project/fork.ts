import { randomBytes } from 'node:crypto'
import type { CheckpointInfo, ComputerInfo, EquippedComputer } from '../contract/index.ts'
import { type UnfinishedFork, forgetUnfinished, noteUnfinished, unfinishedFile, unfinishedFork } from '../config/index.ts'
import { fail, hasCode } from '../errors/index.ts'
import { beginCopy } from '../sync/index.ts'
import { withLock } from '../util/lock.ts'
import { type Backend, find } from './create.ts'
import { shown } from './keep.ts'
import { expectName } from './names.ts'
import type { ProjectStore } from './store.ts'

export interface ForkRequest {
  readonly name: string
  /** Default: one of now, made for it. */
  readonly checkpoint: string | undefined
}

export interface ForkContext {
  readonly signal: AbortSignal
  progress(text: string): void
  note(text: string): void
}

export interface Forked {
  readonly info: ComputerInfo
  readonly workspace: string | undefined
  readonly checkpoint: CheckpointInfo
  /** Whether a project has it in its record now. */
  readonly recorded: boolean
}

/**
 * A computer like another one, with the disk of a checkpoint, beside it. Until it is whole it is noted as unfinished: killed
 * anywhere, it cannot be mistaken for one, and the same call makes it anew.
 */
export async function forkComputer(store: ProjectStore | undefined, backend: Backend, origin: EquippedComputer, request: ForkRequest, context: ForkContext): Promise<Forked> {
  const { name } = request
  expectName(name)
  await expectForks(origin)
  if (request.checkpoint !== undefined) await origin.checkpoints.get(request.checkpoint)
  const onWait = () => context.progress(`Waiting for another amux that is making ${name}`)
  return withLock(`${unfinishedFile(backend.id, name)}.lock`, () => make(store, backend, origin, request, context), { signal: context.signal, onWait })
}

async function expectForks(origin: EquippedComputer): Promise<void> {
  const { fidelity, note, workaround } = (await origin.capabilities()).fork
  if (fidelity !== 'unavailable') return
  throw fail('unsupported', `${origin.name} cannot be forked: ${note ?? 'its provider does not say why'}`, { hint: workaround, provider: origin.provider, computer: origin.name })
}

async function make(store: ProjectStore | undefined, backend: Backend, origin: EquippedComputer, { name, checkpoint: wanted }: ForkRequest, { signal, progress, note }: ForkContext): Promise<Forked> {
  await clear(backend, name, note)
  // Of an older point nobody knows what is still the same here.
  const copied = wanted === undefined ? await begin(store, origin, signal) : undefined
  if (wanted === undefined) progress(`Making a checkpoint of ${origin.name}`)
  const checkpoint = wanted === undefined ? await origin.checkpoints.create({ automatic: true, message: `for the fork ${name}`, signal }) : await origin.checkpoints.get(wanted)
  const { labels } = await origin.info()
  const fork: UnfinishedFork = { version: 1, id: randomBytes(16).toString('hex'), origin: origin.name, checkpoint: checkpoint.id }
  await noteUnfinished(backend.id, name, fork)
  try {
    await origin.fork({ name, labels: { ...labels, 'amux.fork': fork.id, 'amux.forked-from': `${origin.name} ${checkpoint.id}` }, checkpoint: checkpoint.id, signal })
  } catch (error) {
    if (hasCode(error, 'already_exists') || (await find(backend, name).catch(() => true)) === undefined) await forgetUnfinished(backend.id, name)
    throw error
  }
  await forgetUnfinished(backend.id, name)
  const computer = await backend.get(name)
  const info = await computer.info()
  if (info.workspace !== undefined) await copied?.(computer, info.workspace).catch(() => signal.throwIfAborted())
  return { info, checkpoint, ...(await record(store, backend.id, origin.name, info)) }
}

/** The project is seen by the origin, and the fork gets a copy. */
async function begin(store: ProjectStore | undefined, origin: EquippedComputer, signal: AbortSignal): Promise<((computer: EquippedComputer, workspace: string) => Promise<void>) | undefined> {
  const { workspace, ownWorkspace } = await origin.info()
  return store !== undefined && workspace === store.project.root && ownWorkspace !== true ? beginCopy(workspace, signal) : undefined
}

/** Room for it: what a killed fork of this name left goes, anything else keeps its name. */
async function clear(backend: Backend, name: string, note: (text: string) => void): Promise<void> {
  const half = await unfinishedFork(backend.id, name)
  const there = await find(backend, name)
  if (there === undefined) return
  const { labels } = await there.info()
  if (half === undefined || half.id === '' || labels['amux.fork'] !== half.id) {
    throw fail('already_exists', `there is a computer ${name} on ${backend.id} already`, { hint: `Choose another name, or remove that one: amux computer rm ${name} -P ${backend.id}`, provider: backend.id, computer: name })
  }
  note(`An earlier fork ${name} was interrupted: it is made anew.`)
  await there.delete()
}

/** Beside the origin, whose project it belongs to; the current computer stays what it is. */
async function record(store: ProjectStore | undefined, provider: string, origin: string, info: ComputerInfo): Promise<Pick<Forked, 'workspace' | 'recorded'>> {
  const of = store?.read()?.providers[provider]?.computers[origin]
  if (store === undefined || of === undefined) return { workspace: info.workspace, recorded: false }
  const { config, auto } = of
  const workspace = info.workspace ?? of.workspace
  const entry = { createdAt: new Date().toISOString(), madeAt: info.createdAt, ...(config && { config }), ...(auto && { auto }), ...shown(info), ...(workspace !== undefined && { workspace }) }
  await store.change((found) => {
    const there = found.providers[provider] ?? { computers: {} }
    return { ...found, providers: { ...found.providers, [provider]: { ...there, computers: { ...there.computers, [info.name]: entry } } } }
  })
  return { workspace, recorded: true }
}
