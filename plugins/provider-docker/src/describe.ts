import type { ContainerInspectInfo } from 'dockerode'
import type { ComputerInfo, ComputerState, ConnectContext, DeclaredCapabilities } from '../../../src/contract/index.ts'
import type { Client } from './client.ts'
import { frozen } from './disk/freeze.ts'
import { isReachable, isWhole, noReach } from './disk/root.ts'
import { refusal, refusedWords } from './disk/way.ts'
import { hasCode } from './errors.ts'
import { helperImage } from './images/image.ts'
import type { Left } from './disk/volumes.ts'
import { type Meta, readMeta } from './meta.ts'
import { nextOf } from './names.ts'
import { otherTrees } from './create/project.ts'
import { publishedBy } from './publish.ts'

/** The engine's words for it. */
export function stateOf(status: string, paused = false): ComputerState {
  if (paused || status === 'paused') return 'hibernating'
  if (status === 'restarting') return 'starting'
  if (status === 'removing') return 'stopping'
  if (status === 'dead') return 'broken'
  return status === 'running' ? 'running' : 'stopped'
}

interface Seen {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: ComputerState
  readonly createdAt: string
}

/** A label that cannot be read makes it `broken`, and nothing else fails. */
export function infoOf({ name, labels, state, createdAt }: Seen): ComputerInfo {
  try {
    const meta = readMeta(name, labels)
    return {
      name,
      state,
      createdAt: meta.createdAt,
      labels: meta.labels,
      user: meta.user,
      details: { image: meta.imageName, network: meta.access === 'none' ? 'none' : 'own', ...limitsOf(meta) },
      ...(meta.project && { workspace: meta.project.path, worktrees: otherTrees(meta.project) }),
      ...(meta.copied && { ownWorkspace: true }),
      ...(meta.publish && { published: meta.publish }),
      ...(state === 'broken' && { problem: 'the engine says that its container is dead' }),
    }
  } catch (error) {
    if (!hasCode(error, 'corrupt')) throw error
    return { name, state: 'broken', createdAt, labels: {}, problem: error instanceof Error ? error.message : String(error) }
  }
}

interface Orphan extends Pick<Left, 'labels' | 'roles'> {
  /** What its container is called now. */
  readonly called?: string | undefined
  /** A container that amux did not make has its name. */
  readonly taken?: boolean
}

/** Its container is gone, or has another name; not all of its volumes are. */
export function orphanInfo(name: string, { labels, roles, called, taken = false }: Orphan): ComputerInfo {
  const of = { name, labels, state: 'broken' as const, createdAt: new Date(0).toISOString() }
  // Only a home says what it was made from, and for whom; what is left is amux's all the same.
  const info = roles.includes('home') ? infoOf(of) : { name, createdAt: of.createdAt, labels: { 'amux.project': '' } }
  return { ...info, state: 'broken', problem: called === undefined ? lostProblem(name, roles, taken) : `somebody else gave its container the name ${called}: docker rename ${called} ${name}` }
}

function lostProblem(name: string, roles: readonly string[], taken: boolean): string {
  const parts = { home: 'its home', store: 'its sessions', vault: 'its checkpoints' }
  const [there = [], gone = []] = [true, false].map((wanted) => Object.entries(parts).flatMap(([role, part]) => (roles.includes(role) === wanted ? [part] : [])))
  const listed = new Intl.ListFormat('en-GB')
  const lost = gone.length === 0 ? '' : `, ${listed.format(gone)}, too`
  const way = roles.includes('home') ? `: amux docker mend -c ${name} makes another${taken ? `, once the one that is called ${name} now, which amux did not make, has another name` : ''}` : ''
  return `its container was removed by somebody else${lost}; ${listed.format(there)} ${there.length === 1 ? 'is' : 'are'} still there${way}`
}

/** By what name somebody has called a computer's container; undefined where it is as it should be, or about to be. */
export function calledOtherwise(name: string, names: readonly string[]): string | undefined {
  const called = names[0]?.replace(/^\//, '')
  return called === undefined || called === name || called === nextOf(name) ? undefined : called
}

export function infoOfContainer(name: string, { Config, State, Created, NetworkSettings }: ContainerInspectInfo): ComputerInfo {
  const info = infoOf({ name, labels: Config.Labels, state: State.Paused && isHeld(name, Config.Labels) ? 'running' : stateOf(State.Status, State.Paused), createdAt: Created })
  return info.published && State.Running ? { ...info, published: publishedBy(NetworkSettings.Ports, info.published) } : info
}

/** By amux, for a moment of a checkpoint. */
function isHeld(name: string, labels: Readonly<Record<string, string>>): boolean {
  try {
    return frozen(readMeta(name, labels))
  } catch {
    return false
  }
}

/** What a computer falls short of on this engine. */
export async function shortfalls(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<DeclaredCapabilities> {
  const said = await refusal(client, context)
  const refused = meta.replaced === true && !isWhole(found) ? 'it was restored that way before' : said && refusedWords(said)
  const because = isReachable(found) ? refused : noReach(found)
  const note = `by images of the whole system, and a restore puts another container in the computer's place: ${because}`
  return { ...(because !== undefined && { checkpoints: { fidelity: 'emulated' as const, note } }), ...(await networkShortfall(client, said, meta)) }
}

/** `said`: by an engine that lets no helper near its computers. */
export async function networkShortfall(client: Client, said: string | undefined, { access, image }: Pick<Meta, 'access' | 'image'>): Promise<DeclaredCapabilities> {
  if (access === 'none') return {}
  if (said !== undefined) return { network: { fidelity: 'unavailable', note: refusedWords(said), workaround: 'It takes an engine that lets helpers into the namespaces of containers' } }
  if ((await helperImage(client, image)) !== undefined) return {}
  const note = 'no image on this engine says that it has nftables, which a policy needs'
  return { network: { fidelity: 'unavailable', note, workaround: 'amux computer template build' } }
}

function limitsOf({ limits: { cpus, memory } = {} }: Meta): Record<string, string> {
  return { ...(cpus !== undefined && { cpus: String(cpus) }), ...(memory !== undefined && { memory: `${Math.round(memory / 1024 ** 2)} MiB` }) }
}
