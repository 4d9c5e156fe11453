import type { NetworkEvent } from '../../contract/index.ts'

const kinds: ReadonlySet<unknown> = new Set<NetworkEvent['event']>(['policy', 'lookup', 'connect', 'cut'])
const texts = ['domain', 'address', 'protocol', 'reason'] as const

/** A line of the log. Undefined for what is none: the end of a file that was cut, a kind that a newer amux knows. */
export function parseEvent(line: string): NetworkEvent | undefined {
  const value = parse(line)
  if (!(value instanceof Object)) return undefined
  const table = value as Readonly<Record<string, unknown>>
  if (typeof table['time'] !== 'string' || !kinds.has(table['event'])) return undefined
  const known = texts.filter((key) => typeof table[key] === 'string').map((key) => [key, table[key]] as const)
  return {
    time: table['time'],
    event: table['event'] as NetworkEvent['event'],
    ...Object.fromEntries(known),
    ...(typeof table['port'] === 'number' && { port: table['port'] }),
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
