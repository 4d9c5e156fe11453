import { posix } from 'node:path'
import type { ComputerInfo, DiskTree } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { escapeField } from '../aside/index.ts'
import type { ArchiveTree, Manifest, Origin } from './manifest.ts'
import { around, type Part, within } from './parts.ts'

export interface Target {
  readonly info: ComputerInfo
  readonly trees: readonly DiskTree[]
  /** Programs run as one user, who can own no other's files. */
  readonly oneUser: boolean
}

export interface Carried {
  /** For the engine: which trees it takes, as what. */
  readonly rules: readonly string[]
  /** Whose files become whose; undefined: nobody's. */
  readonly owner: string | undefined
  /** Where its trees are on this computer, when not all are trees of it. */
  readonly parts: readonly Part[] | undefined
  /** What stays out, for people. */
  readonly left: readonly string[]
}

/** On a computer made like the one it comes from every tree has its own. */
export function carryTwin({ trees }: Manifest, ours: readonly DiskTree[]): Carried {
  const rules = trees.flatMap(({ name }) => {
    const own = ours.find((tree) => tree.name === name)
    return own ? [ruleText({ from: name, name, at: own.at, flags: [own.layer === true && 'layer', own.shared === true && 'shared'].filter((flag) => flag !== false) })] : []
  })
  return { rules, owner: undefined, parts: undefined, left: trees.filter(({ name }) => !ours.some((tree) => tree.name === name)).map(({ at }) => at) }
}

interface Rule {
  readonly from: string
  readonly sub?: string
  readonly name: string
  readonly at: string
  readonly flags: readonly string[]
  /** A tree of the archive's own name here. */
  readonly derived?: boolean
}

/** How what another computer had fits on this one. `conflict` for a system that does not. */
export function carry(manifest: Manifest, target: Target, withoutSystem: boolean): Carried {
  const { origin } = manifest
  const misfit = withoutSystem ? undefined : systemMisfit(manifest, target)
  if (misfit !== undefined) {
    throw fail('conflict', `the system in this checkpoint does not fit on ${target.info.name}: ${misfit}`, {
      hint: 'Take in home and project alone, and install what they need again: --without-system',
    })
  }
  const rules: Rule[] = []
  const left: string[] = []
  for (const tree of manifest.trees) {
    const rule = tree.layer ? ruleOfLayer(tree, manifest, target, withoutSystem) : ruleOf(tree, origin, target)
    if (rule !== undefined && !rules.some(({ name }) => name === rule.name)) rules.push(rule)
    else if (!tree.layer) left.push(tree.at === '/' ? 'the system' : tree.at)
    if (tree.layer && withoutSystem) left.push(tree.at === '/' ? 'the system' : `the system's ${tree.at}`)
  }
  const derived = rules.some((rule) => rule.derived === true)
  return {
    rules: rules.map(ruleText),
    owner: ownerOf(origin, target),
    parts: derived ? rules.map(({ name, at, derived: inner }) => ({ name, ...(inner === true && { at }) })) : undefined,
    left,
  }
}

function ruleText({ from, sub = '', name, at, flags }: Rule): string {
  return [from, sub, name, at, flags.join(',')].map(escapeField).join('\t')
}

function systemMisfit({ trees, origin }: Manifest, { info, trees: ours }: Target): string | undefined {
  const layers = trees.filter(({ layer }) => layer)
  if (layers.length === 0) return undefined
  if (origin === undefined) return 'it does not say what it was made over'
  const { user, below, computer, provider } = origin
  const strange = layers.find(({ name, at }) => {
    const own = ours.find((tree) => tree.layer === true && tree.at === at)
    return own?.below === undefined || own.below !== below[name]
  })
  if (strange !== undefined) return `it was made over another one, that of ${computer} on ${provider}`
  const mine = info.user
  if (user !== undefined && mine !== undefined && user.uid === mine.uid && user.gid === mine.gid && user.home === mine.home) return undefined
  return `it was made for the user ${user?.name ?? '?'} (${user?.uid ?? '?'}), programs here run as ${mine?.name ?? '?'} (${mine?.uid ?? '?'})`
}

/** Where the home is part of a system, it is taken out of that. */
function ruleOfLayer({ name, at }: ArchiveTree, { origin, trees }: Manifest, target: Target, withoutSystem: boolean): Rule | undefined {
  const same = target.trees.find((tree) => tree.layer === true && tree.at === at)
  if (!withoutSystem && same) return { from: name, name: same.name, at: same.at, flags: ['layer'] }
  const home = origin?.user?.home
  if (home === undefined || around(trees, home)?.name !== name) return undefined
  return homeRule(name, within(at, home) ?? '', target)
}

function ruleOf({ name, at }: ArchiveTree, origin: Origin | undefined, target: Target): Rule | undefined {
  // A whole system, not what was written over one: nothing says what it fits on, and what a file may is not carried.
  if (at === '/') return undefined
  if (at === origin?.user?.home || (origin === undefined && name === 'home')) return homeRule(name, '', target)
  if (at === origin?.workspace || name === 'workspace') return workspaceRule(name, at, target)
  const same = target.trees.find((tree) => tree.name === name && tree.at === at && tree.layer !== true)
  return same && whole(name, same)
}

function homeRule(from: string, sub: string, target: Target): Rule {
  const home = homeOf(target)
  const own = target.trees.find(({ at, layer }) => at === home && layer !== true)
  return own ? { ...whole(from, own), sub } : inner(from, sub, 'home', home, target)
}

function workspaceRule(from: string, at: string, target: Target): Rule {
  const own = target.trees.find(({ name }) => name === 'workspace')
  return own ? whole(from, own) : inner(from, '', 'workspace', posix.join(homeOf(target), posix.basename(at) || 'project'), target)
}

function whole(from: string, { name, at, shared }: DiskTree): Rule {
  return { from, name, at, flags: shared === true ? ['shared'] : [] }
}

/** A directory inside one of this computer's trees; in a layer it hides what lies below. */
function inner(from: string, sub: string, name: string, at: string, { trees }: Target): Rule {
  const layer = around(trees, at)?.layer === true
  return { from, sub, name, at, flags: layer ? ['layer', 'opaque'] : [], derived: true }
}

function homeOf({ info }: Target): string {
  if (info.user) return info.user.home
  throw fail('unsupported', `it cannot be told who programs on ${info.name} run as`, { hint: `Start it first: amux computer start ${info.name}` })
}

function ownerOf(origin: Origin | undefined, { info, oneUser }: Target): string | undefined {
  const [theirs, ours] = [origin?.user, info.user]
  if (ours === undefined) return undefined
  if (oneUser) return `*=${ours.uid}:${ours.gid}`
  if (theirs === undefined || (theirs.uid === ours.uid && theirs.gid === ours.gid)) return undefined
  return `${theirs.uid}:${theirs.gid}=${ours.uid}:${ours.gid}`
}
