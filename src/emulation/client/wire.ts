import type { AmuxError } from '../../contract/index.ts'
import { type ErrorDetails, fail, isAmuxError } from '../../errors/index.ts'

/** HTTP/2's error code for what was cut off. */
export const CANCEL = 8

/** What a guest answers is data from a computer: it is looked at before it is believed. */
export function parseJson<T>(payload: Buffer, looksRight: (value: object) => boolean): T {
  let value: unknown
  try {
    value = JSON.parse(payload.toString())
  } catch (cause) {
    throw fail('corrupt', 'the guest sent something that is not JSON', { source: 'transport', cause })
  }
  if (!(value instanceof Object) || !looksRight(value)) {
    throw fail('corrupt', 'the guest sent a document that amux does not understand', { source: 'transport' })
  }
  // The shape was checked as far as it matters here.
  return value as T
}

/** A `WireError` as an error of ours; also when it is not one after all. */
export function wireError(payload: Buffer, status?: number): AmuxError {
  const where = status === undefined ? '' : ` (status ${status})`
  let value: unknown
  try {
    value = JSON.parse(payload.toString())
  } catch {
    return fail('corrupt', `the guest failed without saying why${where}`, { source: 'transport' })
  }
  if (!isAmuxError(value)) return fail('corrupt', `the guest failed without saying why${where}`, { source: 'transport' })
  const details: ErrorDetails = { hint: value.hint, source: value.source }
  return fail(value.code, String(value.message), details)
}
