import { fail } from '../errors/index.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const LONGEST = 2 ** 31 - 1

/** `30s`, `5m`, `1h30m`, `250ms`, or plain seconds, as milliseconds. */
export function parseDuration(text: string): number {
  const plain = /^\d+(\.\d+)?$/.test(text)
  const parts = plain ? [[text, text, 's']] : [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw fail('invalid_argument', `"${text}" is not a duration`, { hint: 'Write it like 30s, 5m, 1h30m, or as plain seconds.' })
  }
  const sum = parts.reduce((total, [, amount, unit]) => total + Number(amount) * (units[unit ?? 's'] ?? 0), 0)
  if (sum <= 0 || sum > LONGEST) throw fail('invalid_argument', `"${text}" is out of range`, { hint: 'Between 1ms and 24d.' })
  return sum
}

/** For people: `1.5s`, `3m`, `2h 5m`, `4d 3h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  const seconds = ms / 1000
  if (seconds < 10) return `${Number(seconds.toFixed(1))}s`
  if (seconds < 60) return `${Math.floor(seconds)}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'm')
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function pair(large: number, unit: string, small: number, below: string): string {
  return small === 0 ? `${large}${unit}` : `${large}${unit} ${small}${below}`
}
