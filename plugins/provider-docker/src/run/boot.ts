import type { ContainerInspectInfo } from 'dockerode'
import { accessSync, constants, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectContext, ProjectPlace, StartComputerOptions } from '../../../../src/contract/index.ts'
import { checkProject } from '../../../shared/project.ts'
import { accepts, makePrivate } from '../../../shared/sockets.ts'
import type { Client } from '../client.ts'
import type { Built } from '../create/create.ts'
import { mustLook, writtenAt } from '../engine/container.ts'
import { fail, hasCode, statusOf, throwIfAborted } from '../errors.ts'
import { execute, type Executed } from './exec.ts'
import { ensureKit, kitName } from './kit.ts'
import { type Meta, readMeta } from '../meta.ts'
import { inside } from '../names.ts'
import { regainNet, startNet } from '../net.ts'
import { guestNode, prepare } from './prepare.ts'
import { isUnfinished } from '../disk/mark.ts'
import { frozen } from '../disk/freeze.ts'
import { relocated } from '../disk/relocate.ts'
import { noteTrees } from '../disk/trees.ts'
import { portTaken } from '../publish.ts'

const PATIENCE_MS = 10_000
/** Until it is told again, until a signal is tried, between two looks. */
const AGAIN_MS = 1000
const GO_MS = 150
const POLL_MS = 4
/** Everything on it has ended by then, and the engine has noticed. */
const SETTLE_MS = 25_000
const SETTLE_POLL_MS = 50
/** As an engine says it of what ended well, or by SIGKILL: nothing does so by itself before it has begun. */
const ENDED_BY_OTHERS = [0, 137]

/** Until the guest answers; false where there cannot be one, and only programs run. Whoever else starts it does the same things. */
export async function boot(client: Client, name: string, context: ConnectContext, { project, signal }: StartComputerOptions = {}): Promise<boolean> {
  throwIfAborted(signal)
  let found = await untilSettled(client, name)
  if (!found.State.Running) found = await relocated(client, found, name, project, context)
  const meta = readMeta(name, found.Config.Labels)
  // One that is paused goes on as it was, wherever the project is now.
  if (found.State.Running && !found.State.Paused) unmoved(meta, project)
  if (found.State.Paused) await unpause(client, found.Id, meta)
  if (found.State.Running && (await answers(client, meta))) return true
  if (found.State.Running && (await isUnfinished(client, found, name))) throw halfRestored(name)
  const [node] = await Promise.all([guestNode(client, found.Id, meta, kitName(context.guest, meta.arch)), ensureKit(client, found.Id, meta, context.guest, context.progress)])
  if (node !== undefined) await prepare(client, found.Id, meta, context, node)
  // It waits for its word, which it gets when that is there.
  const regained = regainNet(client, context, meta)
  regained.catch(() => undefined)
  if (!found.State.Running) found = await started(client, context, meta, found.Id)
  await regained
  await inService(client, context, { meta, found, guest: node !== undefined, signal })
  return node !== undefined
}

/** The same right after it was made: what there is to be found is known. */
export async function bootNew(client: Client, context: ConnectContext, { meta, id, guest }: Built, signal: AbortSignal | undefined): Promise<ContainerInspectInfo> {
  throwIfAborted(signal)
  const found = await started(client, context, meta, id)
  await inService(client, context, { meta, found, guest, signal })
  return found
}

async function started(client: Client, context: ConnectContext, meta: Meta, id: string): Promise<ContainerInspectInfo> {
  if (meta.run !== undefined) emptyRunDir(meta.run)
  await start(client, meta, id)
  const found = await mustLook(client, meta.name)
  await noteTrees(client, context, found, meta)
  return found
}

interface Running {
  readonly meta: Meta
  readonly found: ContainerInspectInfo
  readonly guest: boolean
  readonly signal: AbortSignal | undefined
}

/** Nothing runs on it before its network's policy is in force. */
async function inService(client: Client, context: ConnectContext, { meta, found, guest, signal }: Running): Promise<void> {
  for (let now: ContainerInspectInfo | undefined = found; now; ) {
    await startNet(client, context, meta, now)
    now = guest ? await untilGuest(client, now, meta, signal) : undefined
  }
}

async function unpause(client: Client, id: string, meta: Meta): Promise<void> {
  // A checkpoint would be of two moments otherwise.
  while (frozen(meta)) {
    await delay(SETTLE_POLL_MS)
    if (!(await mustLook(client, meta.name)).State.Paused) return
  }
  await client.call((docker) => docker.getContainer(id).unpause()).catch((error: unknown) => {
    // It goes on already.
    if (!hasCode(error, 'conflict', 'failed') || !(error instanceof Error && /is not paused/.test(error.message))) throw error
  })
}

/** One that is just stopping by itself runs no more in a moment; or it goes on, because somebody came. */
async function untilSettled(client: Client, name: string): Promise<ContainerInspectInfo> {
  for (const give = performance.now() + SETTLE_MS; ; await delay(SETTLE_POLL_MS)) {
    const found = await mustLook(client, name)
    const { Running: running, Paused: paused, StartedAt: since } = found.State
    if (!running || paused || performance.now() > give || (await answers(client, readMeta(name, found.Config.Labels)))) return found
    const slept = await writtenAt(client, found.Id, inside.slept)
    // An older one is of the last time: it waits to be told to begin.
    if (slept === undefined || slept < Date.parse(since)) return found
  }
}

/** Sockets of a computer that died are in the way of whoever looks for those of the next. What is its root's own that sees to itself. */
function emptyRunDir(path: string): void {
  makePrivate(path)
  for (const name of readdirSync(path)) {
    try {
      rmSync(join(path, name), { recursive: true, force: true })
    } catch (error) {
      if (!hasCode(error, 'EACCES', 'EPERM')) throw error
    }
  }
}

/** Joins the guest's socket where that is out of reach. */
export function bridge(client: Client, { name, kit }: Meta): Promise<Executed> {
  return execute(client, name, { argv: [`${inside.kit}/${kit}/amux-init`, 'bridge', `${inside.run}/guest.sock`], user: '0:0' })
}

/** What runs keeps what it has mounted. */
function unmoved({ name, project: has, copied }: Meta, now: ProjectPlace | undefined): void {
  if (has === undefined || now === undefined || copied) return
  const { path } = checkProject(now)
  if (path === has.path) return
  throw fail('conflict', `${name} runs with the project at ${has.path}, which is at ${path} now`, { computer: name, hint: `Restart it: amux computer restart -c ${name}` })
}

function halfRestored(name: string): Error {
  return fail('conflict', `${name} was started by somebody else in the middle of a restore`, { computer: name, hint: `Let amux finish that: docker stop ${name} && amux computer start -c ${name}` })
}

/** Engines that are killed in the middle of a start may keep half of it, and then neither go on nor let go. */
function halfStarted(name: string, id: string, cause: unknown): Error {
  const hint = `End that, and start the engine again: sudo pkill -9 -f 'containerd-shim.* -id ${id}'; sudo systemctl restart docker`
  return fail('unavailable', `the engine was killed when it was starting ${name}, and holds on to that start`, { computer: name, hint, cause })
}

async function start(client: Client, { name, project }: Meta, id: string): Promise<void> {
  try {
    await client.call((docker) => docker.getContainer(name).start())
  } catch (error) {
    // Somebody else was quicker.
    if (statusOf(error) === 304) return
    const text = error instanceof Error ? error.message : String(error)
    const taken = portTaken(name, text, error)
    if (taken) throw taken
    if (/task \S+: already exists|id already in use|failed to start shim: mkdir .*: file exists/.test(text)) throw halfStarted(name, id, error)
    if (/bind source path does not exist/.test(text)) throw fail('failed', `what ${name} has of this machine is not there any more: ${text}`, { computer: name, hint: project ? `Put the project back: ${project.path}` : undefined, cause: error })
    throw error
  }
}

/** What comes before the first process listens for it is lost: it is told until the guest answers. Where somebody started it anew meanwhile, that start. */
async function untilGuest(client: Client, { Id: id, State: { StartedAt: since } }: ContainerInspectInfo, meta: Meta, signal: AbortSignal | undefined): Promise<ContainerInspectInfo | undefined> {
  const give = performance.now() + PATIENCE_MS
  for (;;) {
    throwIfAborted(signal)
    await tell(client, id, meta)
    for (const until = performance.now() + AGAIN_MS; performance.now() < until; await delay(POLL_MS)) if (await answers(client, meta)) return undefined
    const found = await mustLook(client, meta.name)
    const { State: now } = found
    if (!now.Running && ENDED_BY_OTHERS.includes(now.ExitCode)) throw fail('conflict', `somebody else stopped ${meta.name} when it was starting`, { computer: meta.name, hint: 'Try again.' })
    if (!now.Running || performance.now() > give) throw await deaf(client, id, meta, now.Running)
    if (now.StartedAt !== since) return found
  }
}

/** By its socket where that is in reach, which takes an engine nothing; else by a signal. */
async function tell(client: Client, id: string, meta: Meta): Promise<void> {
  const run = socketsOf(meta)
  if (run !== undefined) for (const until = performance.now() + GO_MS; performance.now() < until; await delay(POLL_MS)) if (await accepts(join(run, 'first.sock'))) return
  await client.call((docker) => docker.getContainer(id).kill({ signal: 'SIGUSR1' })).catch((error: unknown) => {
    // It has just ended: its caller looks.
    if (!hasCode(error, 'conflict', 'not_found', 'failed')) throw error
  })
}

/** Where its sockets are, if they are in our reach: those of somebody else's computer are in a directory of theirs. */
export function socketsOf({ run }: Meta): string | undefined {
  if (run === undefined) return undefined
  try {
    accessSync(run, constants.X_OK)
  } catch (error) {
    if (hasCode(error, 'EACCES')) return undefined
  }
  return run
}

export async function answers(client: Client, meta: Meta): Promise<boolean> {
  const sockets = socketsOf(meta)
  if (sockets !== undefined) return accepts(join(sockets, 'guest.sock'))
  const program = await bridge(client, meta).catch(() => undefined)
  if (program === undefined) return false
  // It speaks first where it lives.
  for await (const chunk of program.stdout) if (chunk.length > 0) return (program.close(), true)
  return false
}

async function deaf(client: Client, id: string, { name }: Meta, alive: boolean): Promise<Error> {
  const said = await client.call((docker) => docker.getContainer(id).logs({ stdout: true, stderr: true, tail: 3 })).catch(() => Buffer.alloc(0))
  const log = said.toString('latin1').replace(/[^\x20-\x7e\n]+/g, '').trim().split('\n').slice(-3).join('; ')
  const what = alive ? `its guest does not answer within ${PATIENCE_MS / 1000} s` : /being changed from outside/.test(log) ? 'its disk is being restored' : 'it ended at once'
  const code = /being changed from outside/.test(log) ? 'locked' : 'unavailable'
  return fail(code, `cannot start ${name}: ${what}${log === '' ? '' : ` (${log})`}`, { computer: name, hint: code === 'locked' ? 'Try again when that is done.' : `See its log: docker logs ${name}` })
}
