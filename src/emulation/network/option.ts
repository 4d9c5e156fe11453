import { createReadStream } from 'node:fs'
import type { NetworkOptions, NetworkPolicy } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { collect, sourceOf } from '../../util/streams.ts'
import { parsePolicy } from './document.ts'
import { findPreset, presets } from './presets.ts'

/** Room for the most rules there may be, of the longest domains. */
const LARGEST = 16 * 1024 * 1024

/** What `create --network` says: `open`, `none` (no network at all), or a policy like `readPolicy`. */
export async function networkOption(text: string): Promise<NetworkOptions> {
  if (text === 'open' || text === 'none') return { access: text }
  return { policy: await readPolicy(text) }
}

/** A policy by its name, from a file, or for `-` from standard input. */
export async function readPolicy(text: string, stdin: NodeJS.ReadableStream = process.stdin): Promise<NetworkPolicy> {
  const preset = findPreset(text)
  if (preset) return preset
  const known = `A policy is a file, - for standard input, or one of: ${Object.keys(presets).join(', ')}`
  if (text === '') throw fail('invalid_argument', 'which policy?', { hint: known })
  const source = text === '-' ? 'standard input' : text
  const stream = text === '-' ? stdin : createReadStream(text)
  try {
    const content = await collect(sourceOf(stream as ReturnType<typeof createReadStream>), LARGEST)
    return parsePolicy(new TextDecoder('utf-8', { fatal: true }).decode(content), source)
  } catch (error) {
    throw explained(error, source, known)
  }
}

function explained(error: unknown, source: string, known: string): Error {
  if (error instanceof TypeError) return fail('invalid_argument', `${source}: not UTF-8 text`, { cause: error })
  const { code, message, hint } = normalise(error)
  if (code === 'not_found') return fail('not_found', `there is no file ${source}`, { hint: known, cause: error })
  if (code === 'invalid_argument') return normalise(error)
  return fail(code, message.includes(source) ? message : `${source}: ${message}`, { hint, cause: error })
}
