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

/** How long ago something was, no finer than people care: `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `4 d ago`. */
export function formatAgo(time: string, now = Date.now()): string {
  const seconds = Math.floor((now - Date.parse(time)) / 1000)
  if (Number.isNaN(seconds)) return ''
  if (seconds < 5) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

function pair(large: number, unit: string, small: number, below: string): string {
  return small === 0 ? `${large}${unit}` : `${large}${unit} ${small}${below}`
}
