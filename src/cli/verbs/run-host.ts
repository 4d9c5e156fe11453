import { type Agent, ensureAgent } from '../../agents/index.ts'
import { fail } from '../../errors/index.ts'
import { createComputer, directoryOn, locate, plainRequest } from '../../project/index.ts'
import type { AmuxCommand } from '../base.ts'
import type { ComputerSelection } from '../flags.ts'
import { hostOf } from './host.ts'
import type { RunHost } from './run.ts'
import type { RunFlags } from './tables.ts'
import { takesBack } from './take-back.ts'

/** A command's surroundings for `run`: the computer is made if the project has none yet. */
export async function runHost(command: AmuxCommand, flags: RunFlags): Promise<RunHost> {
  const selection = await theComputer(command, flags)
  const computer = await command.amux.computer(selection, { start: true })
  if (flags.workdir === undefined) await checkWorktree(command, computer)
  return {
    ...(await hostOf(command, computer)),
    computer,
    async install(agent: Agent): Promise<string> {
      const path = await ensureAgent(computer, agent, {
        node: async (arch) => (await import('../../emulation/index.ts')).guestKit(command.config.root).node(arch),
        progress: (text) => command.out.progress(text),
        signal: command.signal,
        registry: process.env['AMUX_NPM_REGISTRY'],
      })
      command.out.settle()
      return path
    },
    takesBack(session, title) {
      command.out.settle()
      return takesBack(session, title, { yes: command.yes, signal: command.signal })
    },
  }
}

async function theComputer({ amux, out, signal }: AmuxCommand, flags: RunFlags): Promise<ComputerSelection> {
  const { computer, provider } = flags
  const store = await amux.store()
  if (computer !== undefined || locate(store.read(), { provider: provider ?? amux.settings.provider })) return { computer, provider }
  const backend = await amux.registry.connect(await amux.providerId(provider))
  const { located } = await createComputer(store, backend, plainRequest, {
    signal,
    explicit: false,
    progress: (text) => out.progress(text),
    note: (text) => out.note(text),
  })
  return { computer: located.name, provider: located.provider }
}

/** A program that changes files must not meet another worktree's than those one stands in. */
async function checkWorktree({ amux }: AmuxCommand, { provider, name }: { readonly provider: string; readonly name: string }): Promise<void> {
  const project = amux.project()
  const workspace = locate((await amux.store()).read(), { provider, computer: name })?.workspace
  if (workspace === undefined || directoryOn(workspace, project) !== undefined) return
  throw fail('conflict', `${project.worktree} is not on ${name}, which has ${project.root}`, {
    hint: `Keep worktrees below ${project.root}, or say where to run: -w ${workspace}`,
    computer: name,
    provider,
  })
}
