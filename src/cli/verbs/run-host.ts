import { type Agent, ensureAgent } from '../../agents/index.ts'
import type { EquippedComputer } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { createComputer, locate, plainRequest } from '../../project/index.ts'
import type { AmuxCommand } from '../base.ts'
import type { ComputerSelection } from '../flags.ts'
import { agentWarnings } from '../network.ts'
import { needsPlace } from './exec.ts'
import { hostOf } from './host.ts'
import type { RunHost } from './run.ts'
import type { RunFlags } from './tables.ts'
import { resumes, takesBack } from './take-back.ts'

/** A command's surroundings for `run`: the computer is made if the project has none yet. */
export async function runHost(command: AmuxCommand, flags: RunFlags): Promise<RunHost> {
  const selection = await theComputer(command, flags)
  const computer = await command.amux.computer(selection, { start: true })
  const host = await hostOf(command, computer)
  // Not even to go back to one that works on other files than those one stands in.
  if (host.away && needsPlace(flags)) throw host.away
  return {
    ...host,
    computer,
    async install(agent: Agent): Promise<string> {
      const path = await ensureAgent(computer, agent, {
        node: async (arch) => (await import('../../emulation/index.ts')).guestKit(command.config.root).node(arch),
        progress: (text) => command.out.progress(text),
        signal: command.signal,
        registry: process.env['AMUX_NPM_REGISTRY'],
      })
      command.out.settle()
      for (const line of await warnings(computer, agent, selection)) host.say(line)
      return path
    },
    takesBack(session, title) {
      command.out.settle()
      return takesBack(session, title, { yes: command.yes, signal: command.signal })
    },
    resumes(session, title, hint) {
      command.out.settle()
      return resumes(session, title, hint, { yes: command.yes, signal: command.signal, say: host.say })
    },
    async prepare(what, auto) {
      const wanted = auto ?? locate((await command.amux.followed())?.read(), { computer: computer.name, provider: computer.provider })?.auto
      if (wanted === undefined) return
      if (wanted !== 'before-run') throw fail('invalid_argument', `--auto knows "before-run", not ${JSON.stringify(wanted)}`)
      command.out.progress('Making a checkpoint')
      const { id } = await computer.checkpoints.create({ automatic: true, message: `before ${what}`.slice(0, 200), signal: command.signal })
      command.out.note(`amux: checkpoint ${id}; to go back to it: amux computer undo`)
    },
  }
}

/** A new agent may be kept from its own service; that this cannot be told is no reason not to run it. */
async function warnings(computer: EquippedComputer, agent: Agent, selection: ComputerSelection): Promise<readonly string[]> {
  const policy = await computer.network.get().catch(() => undefined)
  return policy === undefined || policy.rules.length === 0 ? [] : agentWarnings(policy, [agent], selection)
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
