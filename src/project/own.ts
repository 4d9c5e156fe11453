import { join } from 'node:path'
import { readJson } from './record.ts'

/** The user's own side of a record, `<state>/projects/<id>.json`: proof that nobody else put the record there. */
export interface OwnEntry {
  readonly version: 1
  readonly id: string
  /** Where the project was met; several when a copy shares its computers. */
  readonly paths: readonly string[]
  /** `provider/computer` of all the record may name. */
  readonly computers: readonly string[]
  /** Secret: makes the record's digests unguessable. */
  readonly key: string
}

export function ownFile(state: string, id: string): string {
  return join(state, 'projects', `${id}.json`)
}

export function readOwn(state: string, id: string): OwnEntry | undefined {
  return readJson(ownFile(state, id), isOwnEntry)
}

function isOwnEntry(value: unknown): value is OwnEntry {
  if (!(value instanceof Object) || !('paths' in value) || !('computers' in value) || !('key' in value) || !('id' in value)) return false
  return isTexts(value.paths) && isTexts(value.computers) && typeof value.key === 'string' && typeof value.id === 'string'
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
