import { existsSync, lstatSync } from 'node:fs'
import { chmod, copyFile, cp, link, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { arch } from 'node:os'
import { join } from 'node:path'
import type { GuestKit } from '../../../src/contract/index.ts'
import type { GuestConfig } from '../../../src/protocol/index.ts'
import { hasCode } from './errors.ts'
import { inside, type Layout, VAULTS } from './layout.ts'
import { type Meta, writeWhole } from './meta.ts'
import { resolverFile, resolvConf } from './network.ts'

type Environment = Readonly<Record<string, string>>

const ENV = 'env.json'

export async function writeEnv(place: Layout, env: Environment): Promise<void> {
  await writeWhole(join(place.store, ENV), JSON.stringify(env))
}

/** The environment the computer was created with. */
export async function readEnv(place: Layout): Promise<Environment> {
  try {
    const value: unknown = JSON.parse(await readFile(join(place.store, ENV), 'utf8'))
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return {}
    throw error
  }
}

/** What its tier needs, under what the user gave. */
export function tierEnv(meta: Meta): Environment {
  if (meta.tier !== 'user') return {}
  const settings = npmSettings()
  return { NPM_CONFIG_PREFIX: `${meta.user.home}/.local`, ...(settings !== undefined && { NPM_CONFIG_GLOBALCONFIG: settings }) }
}

/** npm looks for the machine's settings (a registry, a certificate) below its prefix: with another prefix they need naming. */
function npmSettings(): string | undefined {
  return ['/usr/local/etc/npmrc', '/usr/etc/npmrc'].find((file) => existsSync(file))
}

export function tierPath(meta: Meta): string[] {
  return [`${meta.user.home}/.local/bin`]
}

/** Everything the guest is started with, fresh. Only while the computer does not run. Returns the Node binary. */
export async function prepareGuest(place: Layout, meta: Meta, kit: GuestKit): Promise<string> {
  const node = kit.node(arch())
  // All come to their end before one's failure is told: nothing is written any more to what is removed then.
  const done = await Promise.allSettled([node, copyFiles(place, meta, kit), emptyRun(place), configure(place, meta, kit), makeVaults(place), prepareNetwork(place, meta)])
  for (const one of done) if (one.status === 'rejected') throw one.reason
  return node
}

async function configure(place: Layout, meta: Meta, kit: GuestKit): Promise<void> {
  const config: GuestConfig = {
    store: inside.store,
    run: inside.run,
    version: kit.version,
    user: meta.user,
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    ...(meta.project && { workspace: meta.project.path }),
    env: { ...tierEnv(meta), ...(await readEnv(place)) },
    path: tierPath(meta),
  }
  await writeWhole(join(place.store, 'guest.json'), JSON.stringify(config))
}

/** A copy, so that a later amux can be put in place of this one while the computer runs. */
async function copyKit(place: Layout, kit: GuestKit): Promise<void> {
  const stamp = join(place.kit, 'version')
  if ((await readFile(stamp, 'utf8').catch(() => '')) === kit.version) return
  await rm(place.kit, { recursive: true, force: true })
  await mkdir(place.kit, { mode: 0o755 })
  await cp(kit.scripts, join(place.kit, 'guest'), { recursive: true, filter: (path) => !path.endsWith('/native') })
  await copyFile(await kit.init(arch()), join(place.kit, 'init'))
  await chmod(join(place.kit, 'init'), 0o755)
  // Where the guest looks for it.
  await link(join(place.kit, 'init'), join(place.kit, 'guest/amux-init'))
  await writeFile(stamp, kit.version)
}

async function prepareNetwork(place: Layout, meta: Meta): Promise<void> {
  if (meta.network && meta.tier === 'user') await writeWhole(resolverFile(place), resolvConf(meta))
}

async function copyFiles(place: Layout, meta: Meta, kit: GuestKit): Promise<void> {
  await copyKit(place, kit)
  if (meta.network) await copyTool(join(await kit.tools(arch()), 'amux-net'), join(place.kit, 'amux-net'))
}

/** Under another name first: one that is still ending may be executing the old one. */
async function copyTool(from: string, to: string): Promise<void> {
  const [wanted, present] = await Promise.all([readFile(from), readFile(to).catch(() => undefined)])
  if (present?.equals(wanted)) return
  await writeFile(`${to}.new`, wanted, { mode: 0o755 })
  await rename(`${to}.new`, to)
}

/** What masks them goes on real directories, whatever an earlier run left there. */
async function makeVaults(place: Layout): Promise<void> {
  for (const path of VAULTS.map((name) => join(place.store, name))) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isDirectory()) continue
    await rm(path, { force: true })
    await mkdir(path, { mode: 0o700 })
  }
}

/** Sockets of a computer that died are in the way of the next ones. */
async function emptyRun(place: Layout): Promise<void> {
  for (const name of await readdir(place.run)) await rm(join(place.run, name), { recursive: true, force: true })
}
