import { homedir } from 'node:os'
import type { ComputerInfo, CreateOptions, EquippedComputer } from '../contract/index.ts'
import { codes, fail, hasCode, isAmuxError } from '../errors/index.ts'
import { fillWorkspace } from '../sync/index.ts'
import { type Located, locate } from './current.ts'
import { isAnothers, placeOf, setAuto, shown } from './keep.ts'
import { computerName } from './names.ts'
import type { ComputerEntry, Config, ProjectRecord } from './record.ts'
import { type CreateRequest, difference, digestRequest } from './request.ts'
import type { ProjectStore } from './store.ts'

/** What is needed of a connected provider. */
export interface Backend {
  readonly id: string
  create(options: CreateOptions): Promise<EquippedComputer>
  get(name: string): Promise<EquippedComputer>
}

export interface CreateContext {
  readonly signal: AbortSignal
  progress(text: string): void
  note(text: string): void
  /** The user asked for a computer in so many words: one that its provider no longer has may be succeeded. */
  readonly explicit: boolean
  /** Beside the one there is; it becomes the current one. */
  readonly another?: boolean
}

export interface Created {
  readonly computer: EquippedComputer
  readonly info: ComputerInfo
  readonly located: Located
  /** False: it was there. */
  readonly created: boolean
}

/** The project's computer on this provider, made when there is none. However many ask at once, one is made. */
export async function createComputer(store: ProjectStore, backend: Backend, request: CreateRequest, context: CreateContext): Promise<Created> {
  refuseTooMuch(store.project.root)
  const config = await digestRequest(store, request)
  const look = async (first: boolean) => (context.another ? undefined : existing(store, backend, request, config, { ...context, note: first ? ignore : context.note }))
  const there = await look(true)
  if (there) return there
  const onWait = () => context.progress('Waiting for another amux that is making or removing a computer of this project')
  return store.exclusively(async () => (await look(false)) ?? make(store, backend, request, config, context), { signal: context.signal, onWait })
}

/** Before anything of it is noted there: whatever is below would be part of that project from then on. */
function refuseTooMuch(root: string): void {
  const home = homedir()
  if (root !== '/' && root !== home && !home.startsWith(`${root}/`)) return
  throw fail('invalid_argument', `${root} cannot be a project: the computer would have all of ${root === home ? 'your home' : 'this machine'}`, { hint: 'Work in a directory below it.' })
}

function ignore(): void {
  // It is looked again under the lock, and said then.
}

/** The recorded one, if the provider still has it. Only its own "not found" makes room for another, and only when asked. */
async function existing(
  store: ProjectStore,
  backend: Backend,
  request: CreateRequest,
  config: Config,
  context: CreateContext,
): Promise<Created | undefined> {
  const record = store.read()
  const located = locate(record, { provider: backend.id })
  if (!record || !located) return undefined
  const differs = difference(request, config, located.name, record.providers[backend.id]?.computers[located.name]?.config)
  try {
    const computer = await backend.get(located.name)
    const info = await computer.info()
    if (differs !== undefined) throw otherOptions(located, differs)
    await choose(store, backend.id)
    if (request.auto !== undefined && request.auto !== located.auto) await setAuto(store, located, request.auto)
    if (request.idle !== undefined) await computer.idleStop.set(request.idle)
    return { computer, info, located, created: false }
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error
    if (!context.explicit) throw gone(located)
    context.note(`${located.name} is no longer on ${backend.id}; making another`)
    return undefined
  }
}

async function make(store: ProjectStore, backend: Backend, request: CreateRequest, config: Config, context: CreateContext): Promise<Created> {
  const record = store.read()
  const before = record?.providers[backend.id]?.pending
  const name = request.name ?? before?.name ?? computerName(store.project.name)
  const { auto } = request
  const begun = before?.name === name ? before : undefined
  if (!begun && Object.hasOwn(record?.providers[backend.id]?.computers ?? {}, name) && (await find(backend, name))) throw taken(backend.id, name)
  const unfinished = begun && (await find(backend, name))
  if (unfinished && isAnothers(await unfinished.info(), record)) {
    await forgetPending(store, backend.id)
    throw taken(backend.id, name)
  }
  const differs = unfinished && difference(request, config, name, begun?.config)
  if (differs !== undefined) throw begunOtherwise(backend.id, name, differs, context.another)
  const entry: ComputerEntry & { name: string } = { name, createdAt: new Date().toISOString(), config: unfinished ? (begun?.config ?? {}) : config, ...(auto && { auto }) }
  await note(store, backend.id, entry)
  context.progress(`${unfinished ? 'Finishing' : 'Creating'} ${name} on ${backend.id}`)
  const computer = unfinished ?? (await create(store, backend, name, request, context))
  const info = await running(store, computer, unfinished === undefined, context.signal)
  const workspace = await prepareWorkspace(store, computer, info, context)
  if (request.idle !== undefined) await computer.idleStop.set(request.idle)
  await settle(store, backend.id, { ...entry, madeAt: info.createdAt, ...shown(info), workspace })
  return { computer, info, located: { provider: backend.id, name, workspace }, created: true }
}

/** `fresh`: it was made for the project as it is now, and may run already. */
async function running({ project }: ProjectStore, computer: EquippedComputer, fresh: boolean, signal: AbortSignal): Promise<ComputerInfo> {
  const made = fresh ? await computer.info() : undefined
  if (made?.state === 'running') return made
  await computer.start({ signal, project: placeOf(project) })
  return computer.info()
}

/** What a killed amux left, whole or not: the provider knows. */
export async function find(backend: Backend, name: string): Promise<EquippedComputer | undefined> {
  try {
    const computer = await backend.get(name)
    await computer.info()
    return computer
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined
    throw error
  }
}

async function create(store: ProjectStore, backend: Backend, name: string, request: CreateRequest, context: CreateContext): Promise<EquippedComputer> {
  const { project } = store
  const { labels, env, template, options, network, publish } = request
  const id = store.read()?.id ?? ''
  try {
    return await backend.create({
      name,
      labels: { ...labels, 'amux.project': project.name, 'amux.project-id': id },
      project: placeOf(project),
      ...(Object.keys(env).length > 0 ? { env } : {}),
      ...(template === undefined ? {} : { template }),
      ...(Object.keys(options).length > 0 ? { options } : {}),
      ...(network === undefined ? {} : { network }),
      ...(publish === undefined ? {} : { publish }),
      signal: context.signal,
    })
  } catch (error) {
    const another = hasCode(error, 'already_exists')
    // Who is not let in is not told what there is either.
    if (another || (!mayAppear(error) && !hasCode(error, 'unauthorized', 'credential_missing') && (await find(backend, name).catch(() => true)) === undefined)) await forgetPending(store, backend.id)
    throw another ? taken(backend.id, name, await isForeign(backend, name)) : error
  }
}

/** Nobody said no: what was asked for may still come to be. */
function mayAppear(error: unknown): boolean {
  return !isAmuxError(error) || error.code === 'aborted' || codes[error.code].transient === true
}

/** Mounted at the project's own path it is ready; elsewhere it is filled, and only then the computer is the project's. */
async function prepareWorkspace(store: ProjectStore, computer: EquippedComputer, info: ComputerInfo, context: CreateContext): Promise<string> {
  const { root, name } = store.project
  if (info.workspace === root) return root
  const home = info.user?.home ?? '/home/amux'
  const workspace = info.workspace ?? `${home}/${name}`
  context.progress(`Copying ${name} to ${workspace}`)
  await fillWorkspace(computer, root, workspace, context.signal)
  return workspace
}

async function note(store: ProjectStore, provider: string, pending: ComputerEntry & { readonly name: string }): Promise<void> {
  await store.change((record) => {
    const entry = record.providers[provider] ?? { computers: {} }
    return { ...record, providers: { ...record.providers, [provider]: { ...entry, pending } } }
  })
}

async function settle(store: ProjectStore, provider: string, { name, ...entry }: ComputerEntry & { readonly name: string }): Promise<void> {
  await store.change((record) => {
    const { pending: _, ...rest } = record.providers[provider] ?? { computers: {} }
    const computers = { ...rest.computers, [name]: entry }
    return { ...record, provider, providers: { ...record.providers, [provider]: { ...rest, current: name, computers } } }
  })
}

async function forgetPending(store: ProjectStore, provider: string): Promise<void> {
  await store.change((record) => {
    const { pending: _, ...rest } = record.providers[provider] ?? { computers: {} }
    return { ...record, providers: { ...record.providers, [provider]: rest } }
  })
}

/** `create` chooses the provider, also when the computer was there. */
async function choose(store: ProjectStore, provider: string): Promise<ProjectRecord | undefined> {
  return store.read()?.provider === provider ? undefined : store.change((record) => ({ ...record, provider }))
}

export function gone({ provider, name }: Located): Error {
  return fail('not_found', `${name} is no longer on ${provider}`, {
    hint: 'Make another: amux computer create. Or use one that is there: amux computer use NAME.',
    provider,
    computer: name,
  })
}

function otherOptions({ provider, name }: Located, what: string): Error {
  return fail('conflict', `this project's computer ${name} on ${provider} was made with ${what}`, {
    hint: `Use it as it is: amux computer create -P ${provider}. Or remove it first: amux computer rm ${name}.`,
    provider,
    computer: name,
  })
}

function begunOtherwise(provider: string, name: string, what: string, another = false): Error {
  return fail('conflict', `the making of ${name} on ${provider} was begun with ${what}, and was not finished`, {
    hint: `Finish it as it is: amux computer create ${another ? `--new --name ${name} ` : ''}-P ${provider}. Or remove it first: amux computer rm ${name}.`,
    provider,
    computer: name,
  })
}

/** Whether it has to be taken in first: amux did not make it. */
async function isForeign(backend: Backend, name: string): Promise<boolean> {
  const there = await find(backend, name).catch(() => undefined)
  return there !== undefined && !('amux.project' in (await there.info()).labels)
}

function taken(provider: string, name: string, foreign = false): Error {
  return fail('already_exists', `there is another computer named ${name} on ${provider}`, {
    hint: `Use that one: amux computer use ${name} -P ${provider}${foreign ? ' --adopt' : ''}. Or choose another --name.`,
    provider,
    computer: name,
  })
}
