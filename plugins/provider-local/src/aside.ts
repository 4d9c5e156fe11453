import { arch } from 'node:os'
import type { AsideOptions, ConnectContext, Process } from '../../../src/contract/index.ts'
import { diskView, machineView, type Part, processView, rootView } from './aside-view.ts'
import { fail, hasCode } from './errors.ts'
import type { Layout } from './layout.ts'
import type { Meta } from './meta.ts'
import { Plan } from './plan.ts'
import { startProcess } from './process.ts'
import { type Running, running } from './status.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** What an ordinary user's program may do to files that are that user's own anyway. */
const OVER_FILES = 'chown,dac_override,dac_read_search,fowner,fsetid,setfcap,sys_ptrace'
const OVER_NETWORK = 'net_admin,net_raw,net_bind_service'

/**
 * A program of this machine's beside a computer: it sees the machine read-only, amux's own programs in /amux and of the
 * computer what it asked for. While it changes the disk of a stopped computer, that one cannot start.
 */
export async function startAside(place: Layout, meta: Meta, context: ConnectContext, argv: readonly string[], options: AsideOptions): Promise<Process> {
  const now = running(place)
  if (options.net && now === undefined) throw fail('not_running', `${meta.name} does not run, so it has no network`, { computer: meta.name })
  if (options.disk === 'write' && now !== undefined) throw fail('conflict', `${meta.name} runs: its disk cannot be changed from outside`, { computer: meta.name })
  const tools = await context.guest.tools(arch())
  const user = meta.tier === 'root' ? '0:0' : `${meta.user.uid}:${meta.user.gid}`
  const program = {
    args: ['aside', user, '/', ...argv],
    env: { PATH, LANG: 'C.UTF-8' },
    computer: meta.name,
    plan: asidePlan({ place, meta, context, options, now, tools }).text(),
    ...(options.signal && { signal: options.signal }),
  }
  try {
    return await startProcess(program)
  } catch (error) {
    if (options.disk !== 'write' || !hasCode(error, 'locked')) throw error
    throw fail('conflict', `${meta.name} is starting, or something else works on its disk`, { computer: meta.name, cause: error })
  }
}

export interface AsideContext {
  readonly place: Layout
  readonly meta: Meta
  readonly context: ConnectContext
  readonly options: AsideOptions
  readonly now: Running | undefined
  readonly tools: string
}

function asidePlan(aside: AsideContext): Plan {
  const plan = new Plan()
  const { place, meta, options, now } = aside
  spaces(plan, aside)
  if (now === undefined && (options.root || options.disk === 'write')) plan.step('hold', place.lock)
  plan.step('private')
  const parts: Part[] = [machineView(plan), one(plan, aside.tools, 'ro,nosuid,nodev', '/amux')]
  if (options.root) parts.push(rootView(plan, aside))
  if (options.disk) parts.push(diskView(plan, aside, options.disk))
  if (options.store) parts.push(one(plan, place.store, 'nosuid,nodev', '/store'))
  if (now && (options.root || options.disk)) parts.push(processView(plan, now))
  plan.step('root', place.root, 'nosuid,nodev', 'mode=755').step('pivot', place.root)
  plan.step('mount', 'tmpfs', '/tmp', '1777', 'nosuid,nodev', 'mode=1777')
  for (const part of parts) part.attach()
  if (meta.tier === 'user') plan.step('pass', options.net ? `${OVER_FILES},${OVER_NETWORK}` : OVER_FILES)
  return plan
}

/** An ordinary user has power over a running computer's processes and network inside its user namespace only. */
function spaces(plan: Plan, { meta, options, now }: AsideContext): void {
  const { uid, gid } = meta.user
  const names = [...(meta.tier === 'user' ? ['user'] : []), ...(options.net && meta.network ? ['net'] : [])]
  if (now && names.length > 0) plan.step('join', now.first.pid, now.first.ticks, names.join(','))
  else if (meta.tier === 'user') plan.step('map', uid, uid, gid, gid)
}

function one(plan: Plan, source: string, flags: string, path: string): Part {
  const slot = plan.take(source, flags)
  return { attach: () => plan.step('attach', slot, path) }
}
