import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { AsideOptions, Process } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import { layersOf } from './layers.ts'
import type { Layout } from './layout.ts'
import type { Meta } from './meta.ts'
import { PROJECT, treesOf } from './mounts.ts'
import { overlay } from './plan-root.ts'
import { takeDisk, takeSystem } from './plan-user.ts'
import { Plan } from './plan.ts'
import { startProcess } from './process.ts'
import { type Running, running } from './status.ts'

const PLACE = '/computer'
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * A program of this machine's beside a computer: it sees the machine read-only, the computer's disk at /computer and
 * its store at /store. While it works on the disk of a stopped computer, that one cannot start.
 */
export async function startAside(place: Layout, meta: Meta, argv: readonly string[], options: AsideOptions): Promise<Process> {
  const now = running(place)
  if (options.net && now === undefined) throw fail('not_running', `${meta.name} does not run, so it has no network`, { computer: meta.name })
  const user = meta.tier === 'root' ? '0:0' : `${meta.user.uid}:${meta.user.gid}`
  return startProcess({
    args: ['aside', user, '/', ...argv],
    env: { PATH, LANG: 'C.UTF-8' },
    computer: meta.name,
    plan: asidePlan(place, meta, options, now).text(),
    ...(options.signal && { signal: options.signal }),
  })
}

function asidePlan(place: Layout, meta: Meta, options: AsideOptions, now: Running | undefined): Plan {
  const plan = new Plan()
  const { uid, gid } = meta.user
  if (now && options.net) plan.step('join', now.first.pid, now.first.ticks, meta.tier === 'user' ? 'user,net' : 'net')
  else if (meta.tier === 'user') plan.step('map', uid, uid, gid, gid)
  if (now === undefined && options.root) plan.step('hold', place.lock)
  plan.step('private')
  const disk = options.root ? (meta.tier === 'root' ? layered(plan, place, meta, now) : assembled(plan, place, meta)) : undefined
  const store = options.store ? plan.take(place.store, 'nosuid,nodev') : undefined
  const machine = takeMachine(plan)
  plan.step('root', place.root, 'nosuid,nodev', 'mode=755').step('pivot', place.root)
  machine.attach()
  plan.step('mount', 'tmpfs', '/tmp', '1777', 'nosuid,nodev', 'mode=1777')
  disk?.attach()
  if (store !== undefined) plan.step('attach', store, '/store')
  return plan
}

interface Part {
  attach(): void
}

/** The merged tree: as the running computer has it, since an overlay must not be mounted twice. */
function layered(plan: Plan, place: Layout, meta: Meta, now: Running | undefined): Part {
  const layers = layersOf(place, meta.root)
  if (now === undefined) overlay(plan, place, meta.root)
  const trees = layers.map(({ at, view }) => ({ at, slot: now ? plan.takeFrom(now.first, at, '') : plan.take(view, '') }))
  const project = takeProject(plan, meta)
  return {
    attach: () => {
      for (const { at, slot } of trees) plan.step('attach', slot, at === '/' ? PLACE : PLACE + at)
      project.attach()
    },
  }
}

function assembled(plan: Plan, place: Layout, meta: Meta): Part {
  const parts = [takeSystem(plan, PLACE), takeDisk(plan, place, meta.user.home, PLACE), takeProject(plan, meta)]
  return { attach: () => parts.forEach((part) => part.attach()) }
}

function takeProject(plan: Plan, meta: Meta): Part {
  const taken = treesOf(meta.project).map((path) => ({ path, slot: plan.takeIfThere(path, PROJECT) }))
  return {
    attach: () => {
      for (const { path, slot } of taken) plan.attempt('attach', slot, PLACE + path)
    },
  }
}

function takeMachine(plan: Plan): Part {
  const steps: (() => void)[] = []
  for (const name of readdirSync('/').filter((name) => name !== 'tmp')) {
    const path = join('/', name)
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) steps.push(() => plan.step('link', path, readlinkSync(path)))
    if (!stat.isDirectory()) continue
    const slot = plan.takeIfThere(path, name === 'proc' || name === 'dev' ? 'rec' : 'rec,ro')
    steps.push(() => plan.attempt('attach', slot, path))
  }
  return { attach: () => steps.forEach((step) => step()) }
}
