import { refuse } from '../http/errors.ts'

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** What a timer can take. */
const MOST = 2 ** 31 - 1

/** Milliseconds of a duration as Go writes it: `10s`, `1h30m`, `0`; plain numbers are seconds. 24 days at most. */
export function parseGoDuration(text: string, name: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text) * 1000, MOST)
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) throw refuse(400, 'invalid_request', `${name} is no duration: ${JSON.stringify(text)}`)
  return Math.min(MOST, parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0))
}
