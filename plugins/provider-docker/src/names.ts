import { socketDir } from '../../shared/sockets.ts'

/** Keys of the labels by which amux knows what it made. */
export const LABEL = {
  /** Everything of one computer: its name. */
  of: 'amux.docker.of',
  /** `computer`, `net`, `aside`, `home`, `store`, `vault`, `copy`, `kit`; of an image: `disk`, `template`. */
  role: 'amux.docker.role',
  /** On a computer, and on its home: what is known about it. No secret. */
  meta: 'amux.docker.meta',
  /** On a computer's container and its home: which process made it, and may still be filling it. */
  maker: 'amux.docker.maker',
  /** On an image: it has the programs that a network policy needs. */
  tools: 'amux.docker.tools',
  /** On an image: amux made it, for computers to start from. */
  template: 'amux.docker.template',
} as const

/** Shared by all computers of an engine, read-only on each of them. */
export const KIT_VOLUME = 'amux.kit'

export const DEFAULT_IMAGE = 'amux/computer:latest'

/** As a computer sees it. */
export const inside = {
  store: '/run/amux/store',
  run: '/run/amux/run',
  kit: '/run/amux/kit',
  lock: '/run/amux/store/lock',
  boot: '/run/amux/store/boot',
  /** There while the disk is being changed from outside, and after a change that was interrupted. */
  mark: '/run/amux/store/changing',
  go: '/run/amux/run/first.sock',
  env: '/run/amux/store/env.json',
  /** Written by the guest before it stops the computer by itself. */
  slept: '/run/amux/store/slept.json',
} as const

/** As a program beside a computer sees it. */
export const beside = {
  kit: '/kit',
  tools: '/amux',
  store: '/store',
  lock: '/guest/lock',
  mark: '/guest/changing',
  guest: '/guest',
  disk: '/disk',
} as const

/** Where a program beside a computer has what is amux's. */
export type Seat = Readonly<Record<'kit' | 'store' | 'guest' | 'lock' | 'mark', string>>

/** The same on a copy of the computer's own disk: only where the computer, too, has something else mounted. */
export const onCopy: Seat = { kit: inside.kit, store: inside.run, guest: inside.store, lock: inside.lock, mark: inside.mark }

export interface Volumes {
  readonly home: string
  /** The guest's: sessions, logs, the environment given at creation. */
  readonly store: string
  /** Out of the computer's sight: checkpoints, network policy. */
  readonly vault: string
}

export function volumesOf(name: string): Volumes {
  return { home: `amux.${name}.home`, store: `amux.${name}.store`, vault: `amux.${name}.vault` }
}

/** Of a fork: one of the project's trees. */
export function copyOf(name: string, tree: string): string {
  return `amux.${name}.${tree}`
}

export function netOf(name: string): string {
  return `amux.${name}.net`
}

/** Where its sockets are on this machine. */
export function runDir(dataDir: string, name: string): string {
  return socketDir(dataDir, name, 'd')
}

/** What takes the place of a computer's container is called until then. */
export function nextOf(name: string): string {
  return `amux.${name}.next`
}

/** A changed copy of a computer's disk, which is to take its place. */
export function changedOf(name: string): string {
  return `amux.${name}.changed`
}

/** Images of what computers have at `/`, each tagged with its computer's name. */
export const DISK_IMAGE = 'amux/disk'

/** What is to be a computer's container again is called until it is whole. */
export function mendingOf(name: string): string {
  return `amux.${name}.mending`
}
