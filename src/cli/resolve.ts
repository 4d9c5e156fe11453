import type { EquippedComputer } from '../contract/index.ts'
import { fail, hasCode } from '../errors/index.ts'
import { type Located, chosenProvider, locate, noteWorkspace, startOptions } from '../project/index.ts'
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
  const record = (await amux.store()).read()
  const wanted = provider ?? (computer === undefined ? amux.settings.provider : undefined)
  const located = locate(record, { computer, provider: wanted })
  if (located) return { ...located, recorded: true }
  const id = await resolveProvider(amux, provider)
  if (computer !== undefined) return { provider: id, name: computer, recorded: false }
  throw fail('not_found', `this project has no computer on ${id}`, { hint: `Make one: amux computer create -P ${id}`, provider: id })
}

/** The record is left as it is: only the user knows whether the computer is to be forgotten. */
function gone({ provider, name }: Located, recorded: boolean): Error {
  const hint = recorded ? `Forget it: amux computer rm ${name}. Or make another: amux computer create` : 'See which there are: amux computer ls'
  const message = recorded ? `this project's computer ${name} no longer exists on ${provider}` : `there is no computer ${name} on ${provider}`
  return fail('not_found', message, { hint, provider, computer: name })
}

export async function wake(amux: Context, computer: EquippedComputer): Promise<void> {
  const info = await computer.info()
  if (info.state === 'running') return
  if (info.state === 'broken') {
    throw fail('failed', `${computer.name} is broken: ${info.problem ?? 'its provider does not say why'}`, {
      hint: `See: amux computer info ${computer.name}`,
      provider: computer.provider,
      computer: computer.name,
    })
  }
  amux.progress(`Starting ${computer.name}`)
  // The project may have been moved since the computer was made.
  const store = await amux.store()
  await computer.start({ ...startOptions(store, computer), signal: amux.signal })
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
