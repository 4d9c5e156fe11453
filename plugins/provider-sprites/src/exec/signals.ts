import { constants } from 'node:os'
import { fail, statusOf } from '../errors.ts'
import type { Sprite } from '../sprite.ts'

export function checkSignal(name: string): void {
  if (!Object.hasOwn(constants.signals, name)) throw fail('invalid_argument', `${JSON.stringify(name)} is no signal: write it like SIGTERM`, { source: 'amux' })
}

/** 143 for SIGTERM. */
export function codeOf(signal: string): number {
  return 128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0)
}

export function numberOf(name: string): number {
  return codeOf(name) - 128
}

export function nameOf(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `SIG${number}`
}

/** To a session of the service by its id. One that has ended is no error. */
export async function signalAside(sprite: Sprite, id: string, signal: string): Promise<void> {
  try {
    for await (const { type } of sprite.client.events('POST', sprite.path('exec', id, 'kill'), { query: { signal, timeout: '0s' } })) if (type === 'complete') return
  } catch (error) {
    if (statusOf(error) !== 404 && statusOf(error) !== 410) throw error
  }
}
