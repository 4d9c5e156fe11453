import type { ContainerInspectInfo } from 'dockerode'
import { statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { ConnectContext, ProjectPlace } from '../../../../src/contract/index.ts'
import { checkProject } from '../../../shared/project.ts'
import type { Client } from '../client.ts'
import { otherTrees, treesOf } from '../create/project.ts'
import { fail } from '../errors.ts'
import type { Meta } from '../meta.ts'
import { beside } from '../names.ts'
import { ensureKit } from '../run/kit.ts'
import { runBeside } from './beside.ts'
import { note, noteOf, recall } from './notes.ts'

/** What a container has of its project besides what it was made with. */
interface Note {
  readonly id: string
  /** When it had started. */
  readonly since: string
  /** Which directory it saw then at each path. */
  readonly seen: Readonly<Record<string, string>>
}

type Found = Pick<ContainerInspectInfo, 'Id' | 'State'>

/**
 * With the worktrees that were put on it while it ran, and without those whose directory here is another one by now. What
 * somebody else's amux has put there is not known.
 */
export async function withShown(client: Client, context: ConnectContext, found: Found, meta: Meta): Promise<Meta> {
  const { project } = meta
  const noted = project && !meta.copied ? await recallNote(client, context, found, meta.name) : undefined
  if (project === undefined || noted === undefined) return meta
  const own = project.worktrees ?? []
  const isSame = (path: string) => noted.seen[path] === identity(path)
  if (!found.State.Running) return { ...meta, project: { ...project, worktrees: joined(own, Object.keys(noted.seen).filter(isSame)) } }
  // Started by hand since then, it has only what it was made with.
  if (noted.since !== found.State.StartedAt) return meta
  return { ...meta, project: { ...project, worktrees: joined(own, Object.keys(noted.seen)).filter((path) => noted.seen[path] === undefined || isSame(path)) } }
}

function joined(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])]
}

/** What it sees, at its start: that a directory was made anew since then is known by this. */
export async function noteTrees(client: Client, context: ConnectContext, found: Found, meta: Meta): Promise<void> {
  const { project, name } = meta
  const others = project && !meta.copied ? otherTrees(project) : []
  // What was put there before is there no more.
  await (others.length > 0 ? keep(client, context, found, name, identities(others)) : forgetTrees(client, context, name))
}

/** Puts worktrees that are new on a computer that runs. What cannot be put there waits for the next start. */
export async function showTrees(client: Client, context: ConnectContext, found: ContainerInspectInfo, meta: Meta, project: ProjectPlace): Promise<void> {
  if (meta.project === undefined || meta.copied || !found.State.Running) return
  const there = treesOf((await withShown(client, context, found, meta)).project)
  const missing = treesOf(checkProject(project)).filter((path) => !there.includes(path))
  const shown: string[] = []
  for (const path of missing) {
    await show(client, context, found, meta, path).then(
      () => shown.push(path),
      (error: unknown) => context.debug(`${path} cannot be put on ${meta.name} while it runs: ${String(error)}`),
    )
  }
  if (shown.length === 0) return
  // Another amux may have put some there meanwhile.
  const noted = await recallNote(client, context, found, meta.name)
  await keep(client, context, found, meta.name, { ...(noted?.since === found.State.StartedAt && noted.seen), ...identities(shown) })
}

export async function forgetTrees(client: Client, context: ConnectContext, name: string): Promise<void> {
  await rm(fileOf(client, context, name), { force: true }).catch(() => undefined)
}

async function show(client: Client, context: ConnectContext, found: ContainerInspectInfo, meta: Meta, path: string): Promise<void> {
  const at = `${beside.disk}/shown`
  await ensureKit(client, found.Id, meta, context.guest, context.progress)
  await runBeside(client, meta, context, {
    argv: [`${beside.tools}/amux-init`, 'show', at, path],
    mounts: [{ Type: 'bind', Source: path, Target: at }],
    shares: found,
    attaches: true,
    failed: (words) => fail('failed', words, { computer: meta.name }),
  })
}

async function recallNote(client: Client, context: ConnectContext, { Id }: Found, name: string): Promise<Note | undefined> {
  try {
    // Written by `keep` alone.
    const noted = JSON.parse((await recall(fileOf(client, context, name))) ?? '{}') as Partial<Note>
    return noted.id === Id ? (noted as Note) : undefined
  } catch {
    return undefined
  }
}

async function keep(client: Client, context: ConnectContext, { Id: id, State: { StartedAt: since } }: Found, name: string, seen: Note['seen']): Promise<void> {
  await note(fileOf(client, context, name), JSON.stringify({ id, since, seen } satisfies Note))
}

function identities(paths: readonly string[]): Note['seen'] {
  return Object.fromEntries(paths.map((path) => [path, identity(path) ?? '']))
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path)
    return `${dev}:${ino}`
  } catch {
    // Gone, or on a disk that is.
    return undefined
  }
}

function fileOf({ found }: Client, { dataDir }: ConnectContext, name: string): string {
  return noteOf(dataDir, 'trees', `${found.address}\0${name}`)
}
