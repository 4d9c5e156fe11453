import type { ComputerInfo, EquippedComputer } from '../contract/index.ts'
import { fail, hasCode } from '../errors/index.ts'
import { type Located, type ProjectRecord, chosenProvider, directoryOn, locate, noteWorkspace, searchComputer, startOptions } from '../project/index.ts'
import type { Context } from './context.ts'
import type { ComputerSelection } from './flags.ts'

/** `-c`, `-P`, AMUX_PROVIDER and the project's record, in that order, give one computer. */
export async function resolve(amux: Context, selection: ComputerSelection, options: { readonly start?: boolean }): Promise<EquippedComputer> {
  const located = await find(amux, selection)
  const provider = await amux.registry.connect(located.provider)
  const computer = await provider.get(located.name).catch((error: unknown) => {
    throw hasCode(error, 'not_found') ? gone(located, located.recorded) : error
  })
  if (options.start) await wake(amux, computer)
  return computer
}

/** The provider a command works with, when no computer is meant: `create`, `ls`. */
export async function resolveProvider(amux: Context, flag: string | undefined): Promise<string> {
  const id = flag ?? amux.settings.provider ?? chosenProvider((await amux.store()).read())
  return id ?? noProvider(amux)
}

async function find(amux: Context, { computer, provider }: ComputerSelection): Promise<Located & { readonly recorded: boolean }> {
  if (computer !== undefined) return findNamed(amux, computer, provider)
  const record = (await amux.store()).read()
  const located = locate(record, { provider: provider ?? amux.settings.provider })
  if (located) return { ...located, recorded: true }
  const id = await resolveProvider(amux, provider)
  // A provider that is not there has no computers to make either.
  await amux.registry.find(id)
  throw none(record, id)
}

/** Who names a computer needs no record, and none that may not be followed gets in the way. */
async function findNamed(amux: Context, name: string, provider: string | undefined): Promise<Located & { readonly recorded: boolean }> {
  const located = locate(amux.look().record, { computer: name, provider })
  if (located) return { ...located, recorded: true }
  const id = provider ?? amux.settings.provider
  if (id !== undefined) return { provider: id, name, recorded: false }
  const { providers } = await amux.registry.discover()
  const ids = providers.map(({ descriptor }) => descriptor.id)
  return { ...(await searchComputer(name, ids, (one) => amux.registry.connect(one))), recorded: false }
}

/** Its `create` may have been interrupted. */
function none(record: ProjectRecord | undefined, id: string): Error {
  const pending = record?.providers[id]?.pending?.name
  if (pending === undefined) return fail('not_found', `this project has no computer on ${id}`, { hint: `Make one: amux computer create -P ${id}`, provider: id })
  return fail('not_found', `this project's computer ${pending} on ${id} was never finished`, {
    hint: `Finish it: amux computer create -P ${id}. Or remove what there is: amux computer rm ${pending} -P ${id}`,
    provider: id,
  })
}

/** The record is left as it is: only the user knows whether the computer is to be forgotten. */
function gone({ provider, name }: Located, recorded: boolean): Error {
  const hint = recorded ? `Forget it: amux computer rm ${name}. Or make another: amux computer create` : 'See which there are: amux computer ls'
  const message = recorded ? `this project's computer ${name} no longer exists on ${provider}` : `there is no computer ${name} on ${provider}`
  return fail('not_found', message, { hint, provider, computer: name })
}

export async function wake(amux: Context, computer: EquippedComputer): Promise<void> {
  computer.onSlept(() => begin(amux, computer))
  const info = await computer.info()
  if (info.state === 'running') return showWorktree(amux, computer, info)
  if (info.state === 'broken') {
    throw fail('failed', `${computer.name} is broken: ${info.problem ?? 'its provider does not say why'}`, {
      hint: `To give up what is left of it: amux computer rm ${computer.name}`,
      provider: computer.provider,
      computer: computer.name,
    })
  }
  amux.progress(`${info.state === 'hibernating' ? 'Waking' : 'Starting'} ${computer.name}`)
  await begin(amux, computer)
}

async function begin(amux: Context, computer: EquippedComputer): Promise<void> {
  // The project may have been moved since the computer was made.
  const store = await amux.followed()
  await computer.start({ ...(store && startOptions(store, computer)), signal: amux.signal })
  if (store) await noteWorkspace(store, computer.provider, await computer.info())
}

/** A worktree made since the computer started: some providers can still put it there. */
async function showWorktree(amux: Context, computer: EquippedComputer, info: ComputerInfo): Promise<void> {
  const store = await amux.followed()
  // Started by hand, it may have less than was noted.
  if (store) await noteWorkspace(store, computer.provider, info)
  const located = locate(store?.read(), { provider: computer.provider, computer: computer.name })
  if (!store || located?.workspace === undefined || directoryOn(located, amux.project()) !== undefined) return
  const options = startOptions(store, computer)
  if (options.project?.worktrees === undefined) return
  await computer.start({ ...options, signal: amux.signal })
  await noteWorkspace(store, computer.provider, await computer.info())
}

async function noProvider(amux: Context): Promise<never> {
  const { providers } = await amux.registry.discover()
  const ids = providers.toSorted((a, b) => Number(b.plugin.bundled) - Number(a.plugin.bundled)).map(({ descriptor }) => descriptor.id)
  const first = ids[0] ?? 'ID'
  throw fail('no_provider', 'no provider is chosen for this project', {
    hint: [`Installed: ${ids.join(', ') || 'none'}`, `Choose by making a computer: amux computer create -P ${first}`, 'Or for one command: -P ID, or AMUX_PROVIDER=ID'].join('\n'),
  })
}
