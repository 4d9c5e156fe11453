import { constants } from 'node:os'
import { fail } from './errors.ts'

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
