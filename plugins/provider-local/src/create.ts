import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { ComputerUser, ConnectContext, CreateOptions, NetworkPolicy, TwinOptions } from '../../../src/contract/index.ts'
import { checkEnvironment, checkName } from '../../shared/checks.ts'
import { checkProject, realDirectory } from '../../shared/project.ts'
import { runBox } from './box.ts'
import { fail, hasCode, throwIfAborted } from './errors.ts'
import { readEnv, writeEnv } from './guest.ts'
import { layersOf } from './layers.ts'
import { computersDir, type Layout, layout } from './layout.ts'
import { type Meta, type Tier, writeMeta } from './meta.ts'
import { chooseNetwork, policyFile } from './network.ts'
import { packagesState } from './packages.ts'
import { chooseUser, fillHome, seed, superUser } from './seed.ts'
import { lives, ownProcess } from './status.ts'
import { projectTrees } from './trees.ts'

export function checkOptions(options: CreateOptions): void {
  checkName(options.name)
  const invalid = (message: string, hint?: string) => fail('invalid_argument', message, { source: 'amux', ...(hint !== undefined && { hint }) })
  if (options.template !== undefined) {
    throw fail('unsupported', 'a local computer has no templates', { hint: 'Start from another root file system instead: -o root=DIR' })
  }
  for (const name of Object.keys(options.options ?? {})) if (name !== 'root') throw invalid(`there is no option ${name}`)
  checkEnvironment(options.env)
}

/** One that begins as another one began, not started. */
export async function buildTwin(context: Pick<ConnectContext, 'dataDir' | 'policyText'>, origin: Layout, like: Meta, { name, labels, policy, signal }: TwinOptions): Promise<Meta> {
  checkName(name)
  const { project, packages: _, ...rest } = like
  const meta: Meta = { ...rest, name, labels, createdAt: new Date().toISOString(), ...(project && { project, copied: true }), packages: packagesState(like.root ?? '/') }
  const env = await readEnv(origin)
  throwIfAborted(signal)
  if (policy?.rules.length) chooseNetwork({ network: { policy } })
  return make(context, meta, { env, policy })
}

/** Everything a computer consists of, in a directory of its own that only then gets the computer's name. */
export async function build(context: Pick<ConnectContext, 'dataDir' | 'policyText'>, tier: Tier, options: CreateOptions): Promise<Meta> {
  return make(context, describe(tier, options), { env: options.env ?? {}, policy: options.network?.policy })
}

interface Given {
  readonly env: Readonly<Record<string, string>>
  readonly policy: NetworkPolicy | undefined
}

async function make({ dataDir, policyText }: Pick<ConnectContext, 'dataDir' | 'policyText'>, meta: Meta, { env, policy }: Given): Promise<Meta> {
  const final = layout(dataDir, meta.name)
  const parent = computersDir(dataDir)
  await mkdir(parent, { recursive: true, mode: 0o700 })
  await sweep(dataDir)
  const own = ownProcess()
  const entry = `.new-${own.pid}-${own.ticks}-${randomBytes(4).toString('hex')}`
  const place = layout(dataDir, meta.name, entry)
  try {
    await fill(place, meta, env)
    if (policy) await givePolicy(place, policyText(policy))
    await rename(place.dir, final.dir)
    return meta
  } catch (error) {
    await runBox(['remove', place.dir])
    if (hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST')) throw taken(meta.name)
    throw error
  }
}

export function taken(name: string) {
  return fail('already_exists', `there is a local computer ${name} already`, { computer: name, hint: `See it: amux computer info -c ${name}` })
}

function describe(tier: Tier, options: CreateOptions): Meta {
  const root = rootDirectory(tier, options.options?.['root'])
  const project = options.project && checkProject(options.project)
  const network = chooseNetwork(options)
  return {
    schema: 1,
    name: options.name,
    createdAt: new Date().toISOString(),
    labels: options.labels,
    tier,
    user: tier === 'user' ? caller() : project ? superUser : chooseUser(root ?? '/', root === undefined),
    ...(project && { project }),
    ...(root !== undefined && { root }),
    packages: packagesState(root ?? '/'),
    ...(network && { network }),
  }
}

function rootDirectory(tier: Tier, given: string | number | boolean | undefined): string | undefined {
  if (given === undefined) return undefined
  if (typeof given !== 'string' || !isAbsolute(given)) throw fail('invalid_argument', '-o root takes an absolute path', { source: 'amux' })
  if (tier === 'user') throw fail('unsupported', '-o root needs the root tier: run amux as root')
  const path = realDirectory(given, '-o root')
  const loader = process.arch === 'arm64' ? 'lib/ld-linux-aarch64.so.1' : 'lib64/ld-linux-x86-64.so.2'
  if (statSync(join(path, loader), { throwIfNoEntry: false })) return path
  throw fail('unsupported', `${path} holds no system that amux can run on: it has no /${loader}`, { hint: 'Use a system with glibc, such as Debian.' })
}

function caller(): ComputerUser {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  try {
    const { username, homedir } = userInfo()
    return { name: username, uid, gid, home: homedir === '/' || homedir === '' ? `/home/${username}` : homedir }
  } catch {
    return { name: 'amux', uid, gid, home: '/home/amux' }
  }
}

async function fill(place: Layout, meta: Meta, env: Given['env']): Promise<void> {
  await mkdir(place.dir, { mode: 0o700 })
  for (const path of [place.disk, place.root, place.store]) await mkdir(path, { mode: 0o700 })
  await writeFile(place.lock, `${' '.repeat(159)}\n`, { mode: 0o600 })
  await writeEnv(place, env)
  await (meta.tier === 'root' ? layers(place, meta) : directories(place, meta))
  if (meta.copied) for (const { source } of projectTrees(place, meta)) await mkdir(source, { recursive: true, mode: 0o755 })
  await writeMeta(place, meta)
}

async function givePolicy(place: Layout, text: string): Promise<void> {
  await mkdir(dirname(policyFile(place)), { mode: 0o700 })
  await writeFile(policyFile(place), text, { mode: 0o600 })
}

async function layers(place: Layout, meta: Meta): Promise<void> {
  const upper = join(place.disk, 'upper')
  for (const layer of layersOf(place, meta.root)) {
    await mkdir(layer.upper, { recursive: true })
    await chmod(layer.upper, 0o755)
    await mkdir(layer.work, { recursive: true, mode: 0o700 })
  }
  seed(upper, meta.root ?? '/', meta.name, meta.user, meta.root === undefined)
}

async function directories(place: Layout, meta: Meta): Promise<void> {
  for (const [name, mode] of Object.entries({ home: 0o755, tmp: 0o1777, vartmp: 0o1777, etc: 0o755 })) {
    await mkdir(join(place.disk, name))
    await chmod(join(place.disk, name), mode)
  }
  fillHome(join(place.disk, 'home'), '/etc/skel')
  await writeFile(join(place.disk, 'etc/hostname'), `${meta.name}\n`)
  await writeFile(join(place.disk, 'etc/hosts'), `127.0.0.1\tlocalhost\n127.0.1.1\t${meta.name}\n::1\tlocalhost\n`)
}

/** Removes what a killed create or delete left. Whoever still works on theirs is alive. */
export async function sweep(dataDir: string): Promise<void> {
  for (const entry of await readdir(computersDir(dataDir)).catch(() => [])) {
    const [, pid, ticks] = /^\.(?:new|del)-(\d+)-(\d+)-/.exec(entry) ?? []
    if (pid === undefined || ticks === undefined || lives({ pid: Number(pid), ticks })) continue
    await runBox(['remove', join(computersDir(dataDir), entry), 'run.lock'])
  }
}
