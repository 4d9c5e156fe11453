import type { Capabilities, Capability, CapabilityId, Computer, ComputerInfo, DeclaredCapabilities } from '../contract/index.ts'
import { canStopItself } from './idle.ts'

type Notes = { readonly [id in CapabilityId]?: string }

/** What the guest adds, and what the difference to a provider's own is. */
const emulated: Notes = {
  exec: 'by amux\'s guest on the computer',
  tty: 'by amux\'s guest: the true screen is painted at every attach',
  sessions: 'by amux\'s guest: they outlive the client and end with the computer',
  files: 'by amux\'s guest; needs the running computer',
  archive: 'by amux\'s guest; needs the running computer',
  tunnel: 'by amux\'s guest, over the same connection as everything else',
  ports: 'by amux\'s guest: what the computer\'s own programs listen on, read every half second',
  idle: 'by amux\'s guest: output, input and CPU time of what runs',
  'idle-stop': 'by amux\'s guest, from within; off unless asked for',
  checkpoints: 'by amux, from outside: copies only what changed, restores in place',
  export: 'by amux: a tar of its own form, home and project for every computer, the system for those made over the same',
  fork: 'by amux: a new computer like this one, with a copy of the disk of a checkpoint',
  services: 'by amux\'s guest: started with the computer and again when they end',
  url: 'a listener on this machine, while `amux computer url` runs',
}

/** Not always to be had. */
const inherent: Notes = {
  disk: 'the provider does not say that the disk outlives a stop',
  isolation: 'the provider does not say that it isolates programs from the machine',
  users: 'programs run as one user only',
  checkpoints: 'the disk cannot be reached from outside',
  export: 'its checkpoints cannot be read from outside',
  fork: 'the provider cannot make a computer like another',
  network: 'nothing filters the network of its computers',
  'idle-stop': 'nothing on it could stop it',
  publish: 'the provider publishes no ports',
  desktop: 'its computers have no screen',
}

const members: { readonly [id in CapabilityId]?: keyof Computer } = {
  sessions: 'sessions',
  files: 'files',
  archive: 'archive',
  tunnel: 'tunnel',
  ports: 'ports',
  idle: 'idle',
  'idle-stop': 'idleStop',
  checkpoints: 'checkpoints',
  network: 'network',
  services: 'services',
  url: 'url',
}

/** What a provider must have for the core to add it. */
const needs: { readonly [id in CapabilityId]?: (computer: Partial<Computer>) => boolean } = {
  checkpoints: isCovered,
  export: isCovered,
  fork: (computer) => isCovered(computer) && computer.twin !== undefined,
  'idle-stop': canStopItself,
}

const ids: readonly CapabilityId[] = ['disk', 'exec', 'tty', 'sessions', 'files', 'archive', 'tunnel', 'ports', 'idle', 'idle-stop', 'checkpoints', 'export', 'fork', 'network', 'services', 'url', 'publish', 'desktop', 'isolation', 'users']

/** The provider's ceiling, lowered by what this computer falls short of, filled by what the core adds. */
export function merge(computer: Computer, declared: DeclaredCapabilities, info: ComputerInfo, refusal: unknown): Capabilities {
  const root = computer.sessions === undefined && refusal === undefined && info.user?.uid === 0
  const notes = root ? { ...emulated, users: 'by amux\'s guest, which runs as root' } : emulated
  const table = ids.map((id) => [id, one(id, computer, info.capabilities?.[id] ?? declared[id], refusal, notes)] as const)
  // Every id has its row.
  return dependent(Object.fromEntries(table) as unknown as Capabilities)
}

/** What a computer would have, by its provider's declaration and with what the core adds. */
export function foresee(declared: DeclaredCapabilities): Capabilities {
  const table = ids.map((id) => [id, one(id, {}, declared[id], undefined, emulated)] as const)
  return dependent(Object.fromEntries(table) as unknown as Capabilities)
}

function one(id: CapabilityId, computer: Partial<Computer>, said: Capability | undefined, refusal: unknown, notes: Notes): Capability {
  const member = members[id]
  const own = member !== undefined && computer[member] !== undefined
  if (id === 'idle-stop' && !own && refusal !== undefined) return { fidelity: 'unavailable', note: reason(refusal) ?? 'it has no guest' }
  if (said !== undefined && said.fidelity !== 'unavailable') return said
  if (own && said === undefined) return { fidelity: 'native' }
  const note = notes[id]
  const can = Object.hasOwn(needs, id) ? said === undefined && needs[id]?.(computer) === true : refusal === undefined
  if (note !== undefined && can) return { fidelity: 'emulated', note }
  if (id === 'exec') return said ?? { fidelity: 'native' }
  return said ?? { fidelity: 'unavailable', note: reason(refusal) ?? inherent[id] ?? 'the provider has no such thing' }
}

/** Whether its disk can be reached from outside. */
function isCovered({ aside, disk }: Partial<Computer>): boolean {
  return aside !== undefined && disk !== undefined
}

/** Without checkpoints there is nothing to carry, and nothing to begin from. */
function dependent(table: Capabilities): Capabilities {
  const { checkpoints } = table
  if (checkpoints.fidelity !== 'unavailable') return table
  const lost = (one: Capability) => (one.fidelity === 'unavailable' ? one : checkpoints)
  return { ...table, export: lost(table.export), fork: lost(table.fork) }
}

function reason(refusal: unknown): string | undefined {
  return refusal instanceof Error ? refusal.message : undefined
}
