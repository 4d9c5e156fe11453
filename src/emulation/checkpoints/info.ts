import type { CheckpointInfo } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import type { Part } from './parts.ts'

export type Kind = CheckpointInfo['kind']

/** What is kept with a point, beside what the engine knows. */
interface Meta {
  readonly kind: Kind
  readonly message?: string
  /** Of one that came from elsewhere, and of what its restore replaced. */
  readonly parts?: readonly Part[]
  /** Of one making, however often that was begun. */
  readonly mark?: string
}

/** A point with what only the core needs to know of it. */
export interface Point {
  readonly info: CheckpointInfo
  readonly parts: readonly Part[] | undefined
  readonly mark: string | undefined
}

export function metaText(kind: Kind, message: string | undefined, parts?: readonly Part[]): string {
  const meta: Meta = { kind, ...(message !== undefined && { message }), ...(parts && { parts }) }
  return JSON.stringify(meta)
}

/** The same text, so that what is made with it can be told from all else. */
export function marked(meta: string, mark: string): string {
  return JSON.stringify({ ...parse(meta), mark })
}

/** One line of the engine's list. */
export function parsePoint(line: string): Point {
  const document = parse(line)
  const { meta } = document
  const { parts, mark } = isRecord(meta) ? meta : {}
  return { info: infoOf(document), parts: Array.isArray(parts) ? parts.filter(isPart) : undefined, mark: typeof mark === 'string' ? mark : undefined }
}

function isPart(value: unknown): value is Part {
  if (!isRecord(value) || typeof value['name'] !== 'string') return false
  const { at } = value
  return at === undefined || (typeof at === 'string' && at.startsWith('/'))
}

/** What the engine says of a point that it has just made, which was given this text to keep. */
export function parseMade(text: string | undefined, meta: string): CheckpointInfo {
  return infoOf({ ...parse(text), meta: parse(meta) })
}

function infoOf(document: Record<string, unknown>): CheckpointInfo {
  const { id, time, entries, size, cost, meta } = document
  if (typeof id !== 'string' || typeof time !== 'number' || typeof entries !== 'number' || typeof size !== 'number') throw unreadable(JSON.stringify(document))
  const { kind, message } = isRecord(meta) ? meta : {}
  return {
    id,
    createdAt: new Date(time).toISOString(),
    kind: isKind(kind) ? kind : 'manual',
    ...(typeof message === 'string' && { message }),
    entries,
    size,
    ...(typeof cost === 'number' && { cost }),
  }
}

/** A document in one field of an answer. */
export function parse(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '')
    if (isRecord(value)) return value
  } catch {
    // Said below.
  }
  throw unreadable(text ?? '')
}

function unreadable(text: string): Error {
  return fail('internal', `amux's own helper said what cannot be understood: ${text.slice(0, 200)}`)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value instanceof Object && !Array.isArray(value)
}

function isKind(value: unknown): value is Kind {
  return value === 'manual' || value === 'automatic' || value === 'safety'
}
