import type { ContainerInspectInfo } from 'dockerode'
import { dirname, relative } from 'node:path'
import type { ConnectContext, ProjectPlace } from '../../../../src/contract/index.ts'
import { checkProject, isDirectory } from '../../../shared/project.ts'
import { runBeside } from './beside.ts'
import type { Client } from '../client.ts'
import { makeContainer } from '../create/container.ts'
import { discard, lookAt, mustLook } from '../engine/container.ts'
import { fail } from '../errors.ts'
import { ensureKit, kitName } from '../run/kit.ts'
import { isOurs, type Meta, readMeta } from '../meta.ts'
import { nextOf } from '../names.ts'
import { treesOf } from '../create/project.ts'
import { rootOf, rootOfNew } from './root.ts'

const LAYERS = '/layers'

/**
 * Mounts are for a container's life: where a project is elsewhere now, or has other worktrees, another container takes its
 * place, under the same name, with the same volumes and all that the old one wrote. Interrupted anywhere, the next start
 * goes on with it. Only while it does not run.
 */
export async function relocated(client: Client, found: ContainerInspectInfo, meta: Meta, project: ProjectPlace | undefined, context: ConnectContext): Promise<ContainerInspectInfo> {
  const begun = await lookNext(client, meta.name)
  const wanted = wantedProject(meta, project)
  if (begun === undefined && sameTrees(meta.project, wanted)) return found
  await take(client, found, begun, { ...meta, kit: kitName(context.guest, meta.arch), ...(wanted && { project: wanted }) }, context)
  return mustLook(client, meta.name)
}

/** The old one was gone already: only its name is missing. */
export async function finishRelocation(client: Client, name: string): Promise<boolean> {
  const next = await lookNext(client, name)
  if (next === undefined) return false
  await client.call((docker) => docker.getContainer(next.Id).rename({ name }))
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
  return { ...last, worktrees: (last.worktrees ?? []).filter(isDirectory) }
}

function sameTrees(a: ProjectPlace | undefined, b: ProjectPlace | undefined): boolean {
  return a?.path === b?.path && treesOf(a).join('\0') === treesOf(b).join('\0')
}

async function take(client: Client, found: ContainerInspectInfo, begun: ContainerInspectInfo | undefined, meta: Meta, context: ConnectContext): Promise<void> {
  const { name } = meta
  const old = readMeta(name, found.Config.Labels)
  const from = await rootOf(client, context, old, found)
  if (!from.layer) throw fail('unsupported', `the project of ${name} is elsewhere now, and its container cannot be replaced: its engine keeps no layers`, { computer: name, hint: 'Put the project back where it was.' })
  const next = begun ?? (await mustLook(client, await makeContainer(client, meta, nextOf(name))))
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
  await client.call((docker) => docker.getContainer(next.Id).rename({ name }))
}

function commonParent(a: string, b: string): string {
  let above = dirname(a)
  while (!b.startsWith(`${above}/`)) above = dirname(above)
  if (above === '/') throw fail('internal', `${a} and ${b} have nothing in common`)
  return above
}
