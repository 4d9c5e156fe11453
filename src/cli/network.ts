import { join } from 'node:path'
import { type Agent, installedAgents } from '../agents/index.ts'
import type { EquippedComputer, NetworkEvent, NetworkPolicy } from '../contract/index.ts'
import { paths } from '../config/index.ts'
import { cutOff, describePolicy, formatRule, policyDifference } from '../emulation/index.ts'
import { withLock } from '../util/lock.ts'
import type { AmuxCommand } from './base.ts'
import { ownComputer } from './computers.ts'
import type { ComputerSelection } from './flags.ts'

/** How long a computer may take to say which agents it has. */
const LOOK_MS = 3000
const MOST_CUT = 10

export interface PolicyChange {
  /** What the policy becomes; may ask, and throws when it cannot be. */
  edit(before: NetworkPolicy, computer: EquippedComputer): NetworkPolicy | Promise<NetworkPolicy>
  /** What else people should know once it is changed. */
  remark?(before: NetworkPolicy, after: NetworkPolicy): string | undefined
  /** The rules that went were not named by the user: say which. */
  readonly tell?: boolean
}

type Host = Pick<AmuxCommand, 'amux' | 'out' | 'signal'>

/** Changes a computer's policy, and tells people what came of it. */
export async function changePolicy({ amux, out, signal }: Host, selection: ComputerSelection, { edit, remark, tell = false }: PolicyChange): Promise<void> {
  const computer = await ownComputer(amux, selection)
  const { name, provider } = computer
  const lock = join(paths().state, 'network', `${provider}.${name}.lock`)
  const onWait = () => out.progress(`Waiting for another amux that changes the network policy of ${name}`)
  const { before, after, changed, removed, state, cut } = await withLock(lock, () => change(computer, edit), { signal, onWait })
  const running = state === 'running'
  const said = changed ? remark?.(before, after) : `${name} had that policy already.`
  if (said !== undefined) out.note(said)
  if (tell && removed.length > 0) out.note(['Rules that are gone:', ...removed.map((rule) => `  ${formatRule(rule)}`)].join('\n'))
  if (changed && !running) out.note(`${name} is ${state}: the policy is in force when it starts.`)
  sayCut(cut, (text) => out.note(text))
  const agents = running && after.rules.length > 0 ? await agentsOn(computer, signal) : []
  for (const line of agentWarnings(after, agents, selection)) out.say(line)
  out.data({ computer: name, provider, rules: after.rules, changed, inForce: running, cut }, () => describePolicy(after))
}

async function change(computer: EquippedComputer, edit: PolicyChange['edit']) {
  const { network } = computer
  const before = await network.get()
  const after = await edit(before, computer)
  const { added, removed } = policyDifference(before, after)
  const changed = added.length + removed.length > 0
  // Also where it was that already: somebody may have taken away what keeps it.
  if (changed || after.rules.length > 0) await network.set(after)
  const { state } = await computer.info()
  return { before, after, removed, changed, state, cut: changed && state === 'running' ? await lastCut(computer) : [] }
}

/** What the last change cut: it is logged before the change is. That was made, so that this cannot fail any more. */
async function lastCut({ network }: EquippedComputer): Promise<readonly NetworkEvent[]> {
  let cut: NetworkEvent[] = []
  let since: NetworkEvent[] = []
  try {
    for await (const event of network.log()) {
      if (event.event === 'cut') since.push(event)
      if (event.event === 'policy') [cut, since] = [since, []]
    }
  } catch {
    return []
  }
  return cut
}

function sayCut(cut: readonly NetworkEvent[], note: (text: string) => void): void {
  for (const event of cut.slice(0, MOST_CUT)) note(`Cut: ${peer(event)}`)
  if (cut.length > MOST_CUT) note(`Cut: ${cut.length - MOST_CUT} more connections; see: amux computer network log`)
}

/** Agents whose programs are on the computer; it may not answer, and that is no failure of the change. */
async function agentsOn(computer: EquippedComputer, signal: AbortSignal): Promise<readonly Agent[]> {
  return installedAgents(computer, AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])).catch(() => [])
}

/** One line for each agent that a policy keeps from its own service. */
export function agentWarnings(policy: NetworkPolicy, agents: readonly Agent[], { computer, provider }: ComputerSelection): readonly string[] {
  const aim = [...(computer === undefined ? [] : ['-c', computer]), ...(provider === undefined ? [] : ['-P', provider])]
  return agents.flatMap(({ title, endpoints }) => {
    const missing = cutOff(policy, endpoints)
    if (missing.length === 0) return []
    return [`amux: the network policy cuts ${title} off from ${missing.join(' and ')}. To allow it: ${['amux computer network allow', ...missing, ...aim].join(' ')}`]
  })
}

/** Whom an event is about. */
export function peer({ domain, address, port, protocol }: NetworkEvent): string {
  const shown = address?.includes(':') ? `[${address}]` : address
  const socket = shown === undefined ? undefined : `${shown}${port === undefined ? '' : `:${port}`}`
  return [domain, socket, protocol && `(${protocol})`].filter(Boolean).join(' ')
}
