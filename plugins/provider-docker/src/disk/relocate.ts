import type { ContainerInspectInfo } from 'dockerode'
import { dirname, relative } from 'node:path'
import type { ConnectContext, ProjectPlace } from '../../../../src/contract/index.ts'
import { checkProject } from '../../../shared/project.ts'
import { runBeside } from './beside.ts'
import type { Client } from '../client.ts'
import { makeContainer } from '../create/container.ts'
import { isBeingMade, whileMaking } from '../engine/maker.ts'
import { discard, lookAt, mustLook } from '../engine/container.ts'
import { fail, hasCode } from '../errors.ts'
import { commit } from '../images/disks.ts'
import { ensureKit, kitName } from '../run/kit.ts'
import { isOurs, type Meta, readMeta } from '../meta.ts'
import { nextOf } from '../names.ts'
import { treesOf, withoutMissing } from '../create/project.ts'
import { settle } from './copy.ts'
import { beingReplaced, replace, takeName } from './replace.ts'
import { withShown } from './trees.ts'
import { type Root, rootOfNew } from './root.ts'
import { wayTo } from './way.ts'

const LAYERS = '/layers'

/**
 * Mounts are for a container's life: where a project is elsewhere now, or has other worktrees, another container takes its
 * place, under the same name, with the same volumes and all that the old one wrote. Interrupted anywhere, the next start
 * goes on with it. Only while it does not run.
 */
export async function relocated(client: Client, last: ContainerInspectInfo, name: string, project: ProjectPlace | undefined, context: ConnectContext): Promise<ContainerInspectInfo> {
  const before = readMeta(name, last.Config.Labels)
  const wanted = wantedProject(await withShown(client, context, last, before), project)
  const settled = await settle(client, name, { meta: { ...before, ...(wanted && { project: wanted }) } })
  const [found, begun] = await Promise.all([settled ? mustLook(client, name) : last, lookNext(client, name)])
  const meta = settled ? readMeta(name, found.Config.Labels) : before
  if (begun === undefined && sameTrees(meta.project, wanted)) return found
  if (begun && isBeingMade(begun)) throw beingReplaced(name)
  await take(client, found, begun, { ...meta, kit: kitName(context.guest, meta.arch), ...(wanted && { project: wanted }) }, context)
  return mustLook(client, meta.name)
}

/** The old one was gone already: only its name is missing. */
export async function finishRelocation(client: Client, name: string): Promise<boolean> {
  const next = await lookNext(client, name)
  if (next === undefined) return false
  await takeName(client, next.Id, name)
  return true
}

async function lookNext(client: Client, name: string): Promise<ContainerInspectInfo | undefined> {
  const next = await lookAt(client, nextOf(name))
  return next && isOurs(next.Config.Labels) ? next : undefined
}

/** Where nobody says where the project is, it is where it was, without worktrees that are gone. */
function wantedProject({ project: last, copied }: Meta, now: ProjectPlace | undefined): ProjectPlace | undefined {
  if (last === undefined || copied) return last
  if (now) return checkProject(now)
  return withoutMissing(last)
}

function sameTrees(a: ProjectPlace | undefined, b: ProjectPlace | undefined): boolean {
  return a?.path === b?.path && treesOf(a).join('\0') === treesOf(b).join('\0')
}

async function take(client: Client, found: ContainerInspectInfo, begun: ContainerInspectInfo | undefined, meta: Meta, context: ConnectContext): Promise<void> {
  const { name } = meta
  const old = readMeta(name, found.Config.Labels)
  const from = await layerOf(client, context, old, found)
  // Half of a layer may be in the other one by now.
  const halfway = begun !== undefined && readMeta(name, begun.Config.Labels).image === old.image
  if (from === undefined && halfway) throw fail('failed', `the container of ${name} is half replaced, and its engine lets nothing do the rest`, { computer: name })
  if (from === undefined) {
    await ensureKit(client, found.Id, meta, context.guest, context.progress)
    return replace(client, found, meta, { image: () => commit(client, found.Id, name, 'named') })
  }
  await whileMaking(name, () => move(client, found, from, begun, { meta, old, context }))
}

interface Move {
  readonly meta: Meta
  readonly old: Meta
  readonly context: ConnectContext
}

async function move(client: Client, found: ContainerInspectInfo, from: Root, begun: ContainerInspectInfo | undefined, { meta, old, context }: Move): Promise<void> {
  const { name } = meta
  const next = begun ?? (await lookAt(client, await makeContainer(client, meta, nextOf(name))))
  if (next === undefined) throw beingReplaced(name)
  await ensureKit(client, next.Id, meta, context.guest, context.progress)
  const to = await rootOfNew(client, context, meta, next)
  const above = commonParent(from.path, to.path)
  await runBeside(client, old, context, {
    argv: ['/amux/amux-init', 'shift', `${LAYERS}/${relative(above, from.path)}`, `${LAYERS}/${relative(above, to.path)}`],
    mounts: [{ Type: 'bind', Source: above, Target: LAYERS }],
    shares: undefined,
    disk: 'write',
    failed: (words) => fail('failed', `the container of ${name} cannot be replaced: ${words}`, { computer: name, hint: 'The next start goes on with it.' }),
  })
  await discard(client, found.Id)
  await takeName(client, next.Id, name)
}

/** Undefined where there is none, or none in reach: then it is by an image of it. */
async function layerOf(client: Client, context: ConnectContext, meta: Meta, found: ContainerInspectInfo): Promise<Root | undefined> {
  const { root } = await wayTo(client, context, meta, found).catch((error: unknown) => {
    if (!hasCode(error, 'not_running')) throw error
    return { root: undefined }
  })
  return root?.layer === true ? root : undefined
}

function commonParent(a: string, b: string): string {
  let above = dirname(a)
  while (!b.startsWith(`${above}/`)) above = dirname(above)
  if (above === '/') throw fail('internal', `${a} and ${b} have nothing in common`)
  return above
}
