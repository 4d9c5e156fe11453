import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { AsideContext } from './aside.ts'
import { baseOf, projectDisk } from './disk.ts'
import { layersOf } from './layers.ts'
import { ownDirectories, PROJECT } from './mounts.ts'
import { overlay } from './plan-root.ts'
import { takeDisk, takeSystem } from './plan-user.ts'
import type { Plan } from './plan.ts'
import type { Running } from './status.ts'
import { type ProjectTree, projectTrees } from './trees.ts'

const PLACE = '/computer'
/** Names in / that mean something else to a program aside. */
const TAKEN = new Set(['tmp', 'amux', 'computer', 'disk', 'base', 'workspace', 'store', 'processes'])

/** Something taken from this machine before the pivot, to be put in place after it. */
export interface Part {
  attach(): void
}

const all = (parts: readonly Part[]): Part => ({ attach: () => parts.forEach((part) => part.attach()) })

/** This machine, read-only: where programs come from, also when the computer's own are gone. */
export function machineView(plan: Plan): Part {
  const steps: (() => void)[] = []
  for (const name of readdirSync('/').filter((name) => !TAKEN.has(name))) {
    const path = join('/', name)
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) steps.push(() => plan.step('link', path, readlinkSync(path)))
    if (!stat.isDirectory()) continue
    const slot = plan.takeIfThere(path, name === 'proc' || name === 'dev' ? 'rec' : 'rec,ro')
    steps.push(() => plan.attempt('attach', slot, path))
  }
  return { attach: () => steps.forEach((step) => step()) }
}

/** The computer's files as its programs see them. */
export function rootView(plan: Plan, aside: AsideContext): Part {
  return aside.meta.tier === 'root' ? layered(plan, aside) : assembled(plan, aside)
}

/** The merged tree: as the running computer has it, since an overlay must not be mounted twice. */
function layered(plan: Plan, { place, meta, now }: AsideContext): Part {
  const layers = layersOf(place, meta.root)
  if (now === undefined) overlay(plan, place, meta.root)
  const trees = layers.map(({ at, view }) => ({ at, slot: now ? plan.takeFrom(now.first, at, '') : plan.take(view, '') }))
  const own: Part = {
    attach: () => {
      for (const { at, slot } of trees) plan.step('attach', slot, at === '/' ? PLACE : PLACE + at)
    },
  }
  return all([own, ...projectTrees(place, meta).map((tree) => shown(plan, tree))])
}

function assembled(plan: Plan, { place, meta }: AsideContext): Part {
  return all([takeSystem(plan, PLACE), takeDisk(plan, place, meta.user.home, PLACE), ...projectTrees(place, meta).map((tree) => shown(plan, tree))])
}

function shown(plan: Plan, { at, source }: ProjectTree): Part {
  const slot = plan.takeIfThere(source, PROJECT)
  return { attach: () => plan.attempt('attach', slot, PLACE + at) }
}

/** The trees of `Computer.disk`, and what lies below the layers. */
export function diskView(plan: Plan, { place, meta, context }: AsideContext, mode: 'read' | 'write'): Part {
  const flags = mode === 'read' ? ',ro' : ''
  const disk = plan.take(place.disk, `nosuid,nodev${flags}`)
  const bases = meta.tier === 'root' ? layersOf(place, meta.root).map((layer) => ({ at: baseOf(layer), slot: plan.take(layer.lower, 'ro,nosuid,nodev') })) : []
  // Copies are on the disk itself.
  const trees = meta.copied ? [] : projectDisk(place, meta).map(({ tree, source }) => ({ ...tree, slot: plan.takeIfThere(source, PROJECT + flags) }))
  return {
    attach: () => {
      plan.step('attach', disk, '/disk')
      for (const { at, slot } of bases) plan.step('attach', slot, at)
      for (const { at, path, slot } of trees) {
        plan.attempt('attach', slot, path)
        // As other mounts in it they are not part of the tree.
        for (const own of ownDirectories(context.dataDir, [at], '/nowhere')) plan.step('mask', join(path, own.slice(at.length)))
      }
    },
  }
}

/** The running computer's own /proc. */
export function processView(plan: Plan, now: Running): Part {
  const slot = plan.takeFrom(now.first, '/proc', 'ro,nosuid,nodev,noexec')
  return { attach: () => plan.step('attach', slot, '/processes') }
}
