import { readFile } from 'node:fs/promises'
import { paths } from '../config/index.ts'
import type { Endpoint } from '../emulation/index.ts'
import { writeAtomic } from '../util/atomic.ts'
import { endpointFile, endpointText } from './fast.ts'

/** Notes where a computer's guest answers on this machine. Failing is no failure: the hot way in is just not taken. */
export async function remember(endpoint: Endpoint, variables: readonly string[]): Promise<void> {
  const file = endpointFile(paths().state, endpoint.provider, endpoint.computer)
  const text = endpointText(endpoint, variables)
  try {
    const before = await readFile(file, 'utf8').catch(() => '')
    if (before !== text) await writeAtomic(file, text)
  } catch {
    return
  }
}
