import { mkdtemp, mkdir } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { answers, boxPath, runBox } from './box.ts'
import { describe, fail, parseFailure } from './errors.ts'
import type { Tier } from './meta.ts'
import { writeWhole } from './meta.ts'
import { Plan } from './plan.ts'
import { bootId } from './status.ts'

const DOCKER = 'Use Docker instead: amux plugins install @amux/provider-docker'

export interface Probe {
  readonly tier: Tier
  /** Why it does not work here. */
  readonly problem?: string
}

/** The tier this machine gives this user. Root has one, everybody else the other: neither can stand in for the other. */
export function wantedTier(): Tier {
  const forced = process.env['AMUX_LOCAL_TIER']
  const root = isMachineRoot()
  if (forced === undefined || forced === '') return root ? 'root' : 'user'
  if (forced !== 'root' && forced !== 'user') throw fail('invalid_argument', `AMUX_LOCAL_TIER is ${forced}, not root or user`, { source: 'amux' })
  if (forced === 'root' && !root) throw fail('tool_missing', 'the root tier needs root', { hint: `Run amux as root, or unset AMUX_LOCAL_TIER.` })
  if (forced === 'user' && root) {
    throw fail('unsupported', 'the unprivileged tier is not for root: its read-only system would still show root every secret of this machine', {
      hint: 'Run amux as an ordinary user.',
    })
  }
  return forced
}

/** Root of a user namespace, as in many containers, is an ordinary user to the kernel's mounts. */
function isMachineRoot(): boolean {
  return process.getuid?.() === 0 && /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))
}

/** Throws when no computer can run here, naming the cause. */
export async function requireTier(dataDir: string): Promise<Tier> {
  const { tier, problem } = await probe(dataDir)
  if (problem === undefined) return tier
  throw fail('tool_missing', `this machine cannot run local computers: ${problem}`, { hint: DOCKER })
}

/** Does the real mounts once per start of the machine, and remembers what came of it. */
export async function probe(dataDir: string): Promise<Probe> {
  if (process.platform !== 'linux') {
    throw fail('unsupported', `local computers are made of Linux namespaces, which ${process.platform} does not have`, { hint: DOCKER })
  }
  const tier = wantedTier()
  const cache = join(dataDir, `probe-${tier}.json`)
  const stamp = `${bootId()} ${statSync(boxPath()).mtimeMs}`
  const known = readCache(cache, stamp)
  if (known) return known
  const problem = await tryMounts(tier, dataDir)
  // A failure may be passing: only success is remembered.
  if (problem === undefined) await writeWhole(cache, JSON.stringify({ stamp, tier }))
  return { tier, ...(problem !== undefined && { problem }) }
}

function readCache(path: string, stamp: string): Probe | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value !== 'object' || value === null || !('stamp' in value) || value.stamp !== stamp) return undefined
    return { tier: wantedTier() }
  } catch {
    return undefined
  }
}

async function tryMounts(tier: Tier, dataDir: string): Promise<string | undefined> {
  const dir = await mkdtemp(join(dataDir, '.probe-'))
  try {
    for (const name of ['upper', 'work', 'root']) await mkdir(join(dir, name))
    return await attempt(tier === 'root' ? rootTrial(dir) : userTrial(dir), dir)
  } finally {
    await runBox(['remove', dir])
  }
}

/** What can go wrong, in the order of a real start: namespaces, the root file system, /proc, devices. */
function rootTrial(dir: string): Plan {
  const plan = new Plan().step('private')
  plan.step('hide', join(dir, 'upper'), '/', 'tmp', '1777', 0, 0)
  plan.step('overlay', '/', join(dir, 'upper'), join(dir, 'work'), join(dir, 'root'), 'index=off,metacopy=off')
  plan.step('pivot', join(dir, 'root'))
  plan.step('mount', 'proc', '/proc', '555', 'nosuid,nodev,noexec', '')
  plan.step('mount', 'tmpfs', '/dev', '755', 'nosuid', 'mode=755')
  plan.step('node', '/dev/null', '666', 1, 3)
  return plan.step('mount', 'sysfs', '/sys', '555', 'ro', '').step('deny').step('caps', 'chown')
}

function userTrial(dir: string): Plan {
  const plan = new Plan().step('map', process.getuid?.() ?? 0, process.getuid?.() ?? 0, process.getgid?.() ?? 0, process.getgid?.() ?? 0)
  plan.step('private').step('root', join(dir, 'root'), 'nosuid,nodev', 'mode=755')
  const usr = plan.take('/usr', 'rec,ro,nosuid,nodev')
  plan.step('mount', 'proc', join(dir, 'root/proc'), '555', 'nosuid,nodev,noexec', '')
  plan.step('pivot', join(dir, 'root')).step('attach', usr, '/usr')
  return plan.step('mount', 'devpts', '/pts', '755', 'nosuid', 'newinstance').step('deny').step('caps', 'none')
}

async function attempt(plan: Plan, dir: string): Promise<string | undefined> {
  const child = spawn(boxPath(), ['keep', join(dir, 'lock'), join(dir, 'log')], { stdio: ['pipe', 'pipe', 'ignore'], env: {} })
  child.stdin.on('error', () => undefined)
  child.stdin.end(plan.step('exec', '/').text())
  for await (const line of answers(child)) {
    const failure = parseFailure(line)
    if (failure?.step === 'exec') return undefined
    if (failure) return explain(describe(failure), failure.step, failure.errno)
  }
  return 'its helper gives no answer'
}

function explain(text: string, step: string, errno: string): string {
  if (errno === 'ENOSYS') return `the kernel is too old, 5.12 is needed; ${text}`
  if (step === 'namespaces' && errno === 'ENOSPC') return `user namespaces are switched off (sysctl user.max_user_namespaces); ${text}`
  const policy = ['kernel.apparmor_restrict_unprivileged_userns=1', 'kernel.unprivileged_userns_clone=0'].find(isSet)
  if (policy !== undefined) return `this machine keeps user namespaces from ordinary users (sysctl ${policy}); ${text}`
  if (step === 'namespaces' || step === 'map' || step === 'private') return `the kernel refuses namespaces, as it does in most containers; ${text}`
  if (step === 'mount' && text.includes(' proc')) return `the kernel gives no new /proc, as in a container that hides part of its own; ${text}`
  if (step === 'overlay' || step === 'hide') return `no overlay over / can be mounted: the data directory or / may be an overlay or a network disk; ${text}`
  return text
}

function isSet(setting: string): boolean {
  const [name = '', value] = setting.split('=')
  try {
    return !isMachineRoot() && readFileSync(`/proc/sys/${name.replace('.', '/')}`, 'utf8').trim() === value
  } catch {
    return false
  }
}
