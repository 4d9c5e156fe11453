import { isIP } from 'node:net'
import type { PublishedPort } from '../contract/index.ts'
import { fail } from '../errors/index.ts'

export interface Forward {
  /** Address to listen on here. */
  readonly address: string
  /** 0: any free port. */
  readonly local: number
  readonly remote: number
  /** As the computer sees it. */
  readonly host: string
}

/**
 * `8080`, `LOCAL:REMOTE`, `ADDRESS:LOCAL:REMOTE` (`[::1]:8080:80`), each with an optional `@HOST` that the computer
 * connects to. A LOCAL that is empty or 0 takes any free port.
 */
export function parseForward(text: string): Forward {
  const match = /^(?:(\[[^\]]+\]|[^:@[\]]*):)??(?:(\d*):)?(\d+)(?:@(.+))?$/u.exec(text)
  const [, address, local, remote, host] = match ?? []
  if (remote === undefined) throw malformed(text)
  const bare = address?.replace(/^\[|\]$/gu, '') ?? '127.0.0.1'
  if (bare !== 'localhost' && isIP(bare) === 0) throw malformed(text, `${JSON.stringify(bare)} is no address of this machine`)
  return {
    address: bare === 'localhost' ? '127.0.0.1' : bare,
    local: local === undefined ? port(remote, text) : local === '' ? 0 : port(local, text, 0),
    remote: port(remote, text),
    host: host ?? '127.0.0.1',
  }
}

/** The same without a HOST: what is published is the computer's own. */
export function parsePublish(text: string): PublishedPort {
  if (text.includes('@')) throw malformed(text, 'a published port leads to the computer itself')
  const { address, local, remote } = parseForward(text)
  return { address, local, remote }
}

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function formatEnd({ address, local }: Omit<PublishedPort, 'remote'>): string {
  return `${address.includes(':') ? `[${address}]` : address}:${local === 0 ? 'any' : local}`
}

function port(text: string, whole: string, least = 1): number {
  const value = Number(text)
  if (value < least || value > 65_535) throw malformed(whole, `${text} is no port`)
  return value
}

function malformed(text: string, why = 'it is not LOCAL:REMOTE'): Error {
  return fail('invalid_argument', `-p ${text}: ${why}`, { hint: 'Write -p 8080, -p 3000:80, -p :80 for any free port, or -p 0.0.0.0:3000:80.' })
}
