import { join } from 'node:path'
import { groupName } from './freeze.ts'
import { layersOf, mountLayers } from './layers.ts'
import { inside, type Layout } from './layout.ts'
import type { Meta } from './meta.ts'
import { deviceDirectory, guestMounts, isRealDirectory, makeNodes, ownDirectories, projectMounts } from './mounts.ts'
import { attendants, resolvConf } from './network.ts'
import { Plan } from './plan.ts'
import { mountedTrees } from './trees.ts'

/** A container's usual ones, without raw sockets and device files. */
export const ROOT_CAPS =
  'chown,dac_override,fsetid,fowner,setgid,setuid,setfcap,setpcap,net_bind_service,sys_chroot,kill,audit_write'

/**
 * The features that are off are those that would tie the upper layer to an unchanged lower one: this machine's system
 * changes whenever it is upgraded.
 */
const OVERLAY = 'index=off,metacopy=off,redirect_dir=nofollow,xino=off'

const MASKED = ['acpi', 'asound', 'interrupts', 'kcore', 'keys', 'key-users', 'latency_stats', 'sched_debug', 'scsi', 'timer_list', 'timer_stats'].map(
  (name) => `/proc/${name}`,
)
const MASKED_SYS = ['/sys/firmware', '/sys/devices/virtual/powercap', '/sys/kernel/security']
const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`)

export interface PlanContext {
  readonly place: Layout
  readonly meta: Meta
  readonly dataDir: string
  /** A Node binary of this machine. */
  readonly node: string
}

/** Root's tier: an overlay over this machine's system, or over a directory that holds another. */
export function rootPlan({ place, meta, dataDir, node }: PlanContext): Plan {
  const plan = new Plan().step('group', groupName(place), place.freeze)
  attendants(plan, place, meta)
  const lower = meta.root ?? '/'
  const attachLayers = overlay(plan, place, meta.root)
  const guest = guestMounts(plan, place, node)
  const project = projectMounts(plan, place, meta)
  plan.step('pivot', place.root)
  attachLayers()
  plan.step('mount', 'proc', '/proc', '555', 'nosuid,nodev,noexec', '')
  deviceDirectory(plan, ',gid=5', () => makeNodes(plan))
  plan.step('mount', 'sysfs', '/sys', '555', 'ro,nosuid,nodev,noexec', '')
  guest.attach(plan)
  for (const path of ['/var/run', '/var/lock']) if (isRealDirectory(join(lower, path))) plan.attempt('mount', 'tmpfs', path, '755', 'nosuid,nodev', 'mode=755')
  for (const path of ['/tmp', '/var/tmp']) plan.attempt('dir', path, '1777', 0, 0)
  project.attach(plan)
  for (const path of [...ownDirectories(dataDir, mountedTrees(meta), lower), ...MASKED, ...MASKED_SYS]) plan.step('mask', path)
  for (const path of READ_ONLY) plan.step('readonly', path)
  plan.attempt('file', '/etc/resolv.conf', '644', 0, 0, resolvConf(meta))
  return finish(plan, meta, ROOT_CAPS)
}

/** The disk as one tree at `place.root`; what is returned puts the parts on file systems of their own in place. */
export function overlay(plan: Plan, place: Layout, root: string | undefined): () => void {
  plan.step('private')
  return mountLayers(plan, layersOf(place, root), OVERLAY)
}

/** The common end: confined, then the init of the computer. */
export function finish(plan: Plan, meta: Meta, caps: string): Plan {
  plan.step('hostname', meta.name)
  plan.step('deny')
  plan.step('caps', caps)
  plan.step('env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  plan.step('env', `HOME=${meta.tier === 'root' ? '/root' : meta.user.home}`)
  plan.step('env', 'LANG=C.UTF-8')
  plan.step('chdir', '/')
  plan.step('await')
  return plan.step('exec', inside.init, 'run', `${inside.store}/guest.json`, '--', inside.node, `${inside.guest}/guest.js`)
}
