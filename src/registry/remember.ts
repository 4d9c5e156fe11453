import { readFile, rm } from 'node:fs/promises'
import type { EquippedComputer } from '../contract/index.ts'
import { paths } from '../config/index.ts'
import type { Endpoint } from '../emulation/index.ts'
import { writeAtomic } from '../util/atomic.ts'
import { endpointFile, endpointText } from './fast.ts'

/** Notes where a running computer's guest answers, for the hot way in. Failing is no failure: that way is just not taken. */
export async function remember(computer: EquippedComputer & { endpoint(): Promise<Endpoint | undefined> }): Promise<void> {
  const file = endpointFile(paths().state, computer.provider, computer.name)
  try {
    const endpoint = await computer.endpoint()
    if (endpoint === undefined) return await forget(computer.provider, computer.name)
    const text = endpointText(endpoint)
    const before = await readFile(file, 'utf8').catch(() => '')
    if (before !== text) await writeAtomic(file, text)
  } catch {
    return
  }
}

/** The computer is gone, or its guest can only be reached through the provider. */
export async function forget(provider: string, computer: string): Promise<void> {
  await rm(endpointFile(paths().state, provider, computer), { force: true }).catch(() => undefined)
}
