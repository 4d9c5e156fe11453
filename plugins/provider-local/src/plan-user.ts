import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { DURABLE } from './disk.ts'
import { groupName } from './freeze.ts'
import { SYSTEM } from './hidden.ts'
import type { Layout } from './layout.ts'
import type { Meta } from './meta.ts'
import { deviceDirectory, deviceNames, guestMounts, ownDirectories, projectMounts } from './mounts.ts'
import { finish, type PlanContext } from './plan-root.ts'
import { attendants, resolverFile, resolvConf } from './network.ts'
import { Plan } from './plan.ts'
import { mountedTrees } from './trees.ts'

/** The unprivileged tier: a user namespace, this machine's system read-only, a home of its own. */
export function userPlan({ place, meta, dataDir, node }: PlanContext): Plan {
  const plan = new Plan().step('group', groupName(place), place.freeze)
  const { uid, gid } = meta.user
  plan.step('map', uid, uid, gid, gid)
  attendants(plan, place, meta)
  plan.step('private')
  plan.step('root', place.root, 'nosuid,nodev', 'mode=755')
  const system = takeSystem(plan)
  const devices = deviceNames().map((name) => ({ name, slot: plan.take(`/dev/${name}`, '') }))
  const sys = plan.take('/sys', 'rec,ro,nosuid,nodev,noexec')
  const guest = guestMounts(plan, place, node)
  const disk = takeDisk(plan, place, meta.user.home)
  const files = takeFiles(plan, place)
  const names = takeResolver(plan, place, meta)
  const project = projectMounts(plan, place, meta)
  // Before the pivot: the kernel gives a new /proc only to who still sees the whole old one.
  plan.step('mount', 'proc', join(place.root, 'proc'), '555', 'nosuid,nodev,noexec', '')
  plan.step('pivot', place.root)
  system.attach()
  deviceDirectory(plan, '', () => {
    for (const { name, slot } of devices) plan.step('attach', slot, `/dev/${name}`)
  })
  plan.step('attach', sys, '/sys')
  guest.attach(plan)
  names.attach()
  for (const path of ['/root', '/home', '/mnt', '/media', '/srv']) plan.step('dir', path, '755', '', '')
  disk.attach()
  files.attach()
  project.attach(plan)
  for (const path of ownDirectories(dataDir, mountedTrees(meta))) plan.step('mask', path)
  plan.step('seal', '/')
  return finish(plan, meta, 'none')
}

/** `prefix`: where in the tree that is put together. */
export function takeSystem(plan: Plan, prefix = ''): { attach(): void } {
  const steps: (() => void)[] = []
  for (const name of readdirSync('/').filter((name) => SYSTEM.has(name))) {
    const path = join('/', name)
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) steps.push(() => plan.step('link', prefix + path, readlinkSync(path)))
    if (!stat.isDirectory()) continue
    const slot = plan.take(path, 'rec,ro,nosuid,nodev')
    steps.push(() => plan.step('attach', slot, prefix + path))
  }
  return { attach: () => steps.forEach((step) => step()) }
}

export function takeDisk(plan: Plan, place: Layout, home: string, prefix = ''): { attach(): void } {
  // A home may lie below /tmp, so it comes last.
  const parts = Object.entries({ ...DURABLE, home }).map(([name, path]) => ({ path, slot: plan.take(join(place.disk, name), 'nosuid,nodev') }))
  return {
    attach: () => {
      for (const { path, slot } of parts) plan.step('attach', slot, prefix + path)
    },
  }
}

/** The names the computer knows itself by, in place of this machine's. */
function takeFiles(plan: Plan, place: Layout): { attach(): void } {
  const files = ['hosts', 'hostname', 'passwd', 'group']
    .filter((name) => lstatSync(`/etc/${name}`, { throwIfNoEntry: false })?.isFile())
    .map((name) => ({ name, slot: plan.takeIfThere(join(place.disk, 'etc', name), 'ro,nosuid,nodev') }))
  return { attach: () => files.forEach(({ name, slot }) => plan.attempt('attach', slot, `/etc/${name}`)) }
}

/** /etc/resolv.conf often is a link into /run, which is the computer's own. Elsewhere a file of its own goes on top. */
function takeResolver(plan: Plan, place: Layout, meta: Meta): { attach(): void } {
  let target: string
  try {
    target = realpathSync('/etc/resolv.conf')
  } catch {
    // No name servers here, none there.
    return { attach: () => {} }
  }
  if (target.startsWith('/run/')) return { attach: () => plan.attempt('file', target, '644', '', '', resolvConf(meta)) }
  if (meta.network === undefined) return { attach: () => {} }
  const slot = plan.take(resolverFile(place), 'ro,nosuid,nodev')
  return { attach: () => plan.step('attach', slot, target) }
}
