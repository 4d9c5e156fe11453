import type { SessionInfo } from '../../contract/index.ts'
import type { Asked } from '../../agents/ask.ts'
import { type Glance, glance } from '../../agents/login.ts'
import { type Agent, findAgent } from '../../agents/roster.ts'
import { fail, hasCode } from '../../errors/index.ts'
import { launch, launchDetached, reattach } from '../../terminal/index.ts'
import { type VerbHost, common } from './exec.ts'
import type { RunFlags } from './tables.ts'

/** What `run` needs besides: the computer itself, and people. */
export interface RunHost extends VerbHost {
  readonly computer: Asked
  /** Brings the agent's program to the computer and says where it is. */
  install(agent: Agent): Promise<string>
  /** Whether to go back to what runs already; asks on a terminal, else yes. */
  takesBack(session: SessionInfo, title: string): Promise<boolean>
  /** Whether an agent is to go on with its conversation that a restore ended; asks on a terminal, else no. */
  resumes(session: SessionInfo, title: string, command: string): Promise<boolean>
  /** Makes a checkpoint, where that was asked for. */
  prepare(what: string, auto: string | undefined): Promise<void>
}

/** `amux computer run` and the agents' shortcuts. */
export async function run(flags: RunFlags, name: string, args: readonly string[], host: RunHost): Promise<number> {
  const agent = findAgent(name)
  if (flags.attach === true && args.length > 0) {
    throw fail('invalid_argument', '--attach goes back to a session that has its arguments already', { hint: 'Leave out the arguments, or write --new.' })
  }
  const running = await detached(flags, name, args, host)
  if (running) return reattach({ id: running.id, stdin: flags.stdin, detachKeys: flags['detach-keys'] }, host)
  await host.prepare([name, ...args].join(' '), flags.auto)
  if (!agent) return start(flags, { argv: [name, ...args], labels: { program: name } }, host)
  return startAgent(flags, agent, (await conversation(flags, agent, args, host)) ?? args, host)
}

/** The newest that nobody has: unless the user has something else in mind. */
async function detached(flags: RunFlags, name: string, args: readonly string[], host: RunHost): Promise<SessionInfo | undefined> {
  const agent = findAgent(name)
  if (flags.new === true || flags.detach === true || args.length > 0) return undefined
  if (!agent && flags.attach !== true) return undefined
  const living = (await host.sessions.list()).filter(({ state, labels }) => state.status === 'running' && labels[agent ? 'agent' : 'program'] === name)
  const free = living.find(({ owned }) => !owned)
  const taken = flags.attach === true ? (free ?? living[0]) : free
  if (taken) return flags.attach === true || (await host.takesBack(taken, agent?.title ?? name)) ? taken : undefined
  if (flags.attach !== true) return undefined
  throw fail('not_found', `no session of ${name} runs on this computer`, { hint: 'Start one: the same without --attach.' })
}

/** Arguments that go on with what was said before a restore, where it ended that and the user wants to. */
async function conversation(flags: RunFlags, agent: Agent, args: readonly string[], host: RunHost): Promise<readonly string[] | undefined> {
  if (agent.resume === undefined || args.length > 0 || flags.new === true || flags.detach === true) return undefined
  const last = (await host.sessions.list()).find(({ labels }) => labels['agent'] === agent.id)
  if (last?.state.status !== 'ended' || last.state.reason !== 'restored') return undefined
  return (await host.resumes(last, agent.title, `amux ${agent.id} -- ${agent.resume.join(' ')}`)) ? agent.resume : undefined
}

/** Arguments with which a missing login is no news. */
const needless: ReadonlySet<string> = new Set(['login', 'auth', '--login', '--version', '-v', '-V', '--help', '-h', 'help'])

async function startAgent(flags: RunFlags, agent: Agent, args: readonly string[], host: RunHost): Promise<number> {
  const given = common(flags, host).env ?? {}
  const labels = { agent: agent.id }
  const program = (command: string) => ({ argv: [command, ...args], labels, env: { ...agent.env, ...given } })
  const { installed, hint }: Glance = args.some((arg) => needless.has(arg)) ? { installed: true } : await glance(host.computer, agent, given, host.signal)
  const path = installed ? undefined : await host.install(agent)
  if (hint !== undefined) host.say(`amux: ${hint}`)
  try {
    return await start(flags, program(path ?? agent.command), host)
  } catch (error) {
    if (path !== undefined || !hasCode(error, 'program_not_found')) throw error
  }
  return start(flags, program(await host.install(agent)), host)
}

interface Program {
  readonly argv: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

async function start(flags: RunFlags, program: Program, host: RunHost): Promise<number> {
  const whole = { ...common(flags, host), tty: flags.tty, stdin: flags.stdin, ...program }
  if (flags.detach !== true) return launch(whole, host)
  const session = await launchDetached(whole, host)
  host.print(session, () => session.id)
  return 0
}
