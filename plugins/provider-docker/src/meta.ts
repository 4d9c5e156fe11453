import type { ComputerUser, ProjectPlace, PublishedPort } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'
import { LABEL } from './names.ts'

/** What is known about a computer, in a label: no secret. */
export interface Meta {
  readonly schema: 1
  readonly name: string
  readonly createdAt: string
  readonly labels: Readonly<Record<string, string>>
  readonly user: ComputerUser
  /** The image's id, and what it was called. */
  readonly image: string
  readonly imageName: string
  /** `x64`, `arm64`. */
  readonly arch: string
  /** Mounted from this machine. */
  readonly project?: ProjectPlace
  /** A fork: the project's trees are volumes of its own, at the same paths. */
  readonly copied?: boolean
  /** Directory of its sockets on this machine; absent where the engine is elsewhere. */
  readonly run?: string
  readonly access: 'open' | 'none'
  /** Of this machine's loopback. */
  readonly hostPorts?: readonly number[]
  readonly publish?: readonly PublishedPort[]
  /** Of the kit it was made with: its first process is from there. */
  readonly kit: string
  /** Whose ids its users have outside, where those are not their own. */
  readonly ids?: 'rootless' | 'mapped'
  /** Its image is one of its own disk: what is written over that is no whole of anything. */
  readonly replaced?: boolean
  readonly limits?: { readonly cpus?: number; readonly memory?: number }
}

type Labels = Readonly<Record<string, string>> | null | undefined

/** Whether amux made it. */
export function isOurs(labels: Labels, role = 'computer'): boolean {
  return labels?.[LABEL.role] === role && labels[LABEL.of] !== undefined
}

/** `corrupt` where the label cannot be understood. */
export function readMeta(name: string, labels: Labels): Meta {
  const text = labels?.[LABEL.meta] ?? ''
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Said below.
  }
  if (!(value instanceof Object) || !('schema' in value)) throw unclear(name, 'cannot be understood')
  if (value.schema !== 1) throw unclear(name, `was written by a newer amux (schema ${String(value.schema)})`)
  // Written by `labelsOf` alone.
  return value as Meta
}

export function labelsOf(meta: Meta): Record<string, string> {
  return { ...meta.labels, ...marks(meta.name, 'computer'), [LABEL.meta]: JSON.stringify(meta) }
}

export function marks(of: string, role: string): Record<string, string> {
  return { [LABEL.of]: of, [LABEL.role]: role }
}

function unclear(name: string, what: string): Error {
  return fail('corrupt', `the label ${LABEL.meta} of container ${name} ${what}`, { computer: name, hint: 'Its disk is untouched. Update amux, or look: docker inspect' })
}
