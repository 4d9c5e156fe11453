import { fail } from '../../errors/index.ts'

export interface Target {
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port?: number
}

/** `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`, an IPv6 address, or a whole URL. */
export function parseTarget(text: string): Target {
  const url = /^[a-z][a-z\d+.-]*:\/\/(?:[^/@?#]*@)?([^/?#]*)/i.exec(text)?.[1]
  const whole = url ?? text
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(whole)
  const plain = /^([^:]*)(?::(\d+))?$/.exec(whole)
  const [, host = whole, port] = bracketed ?? plain ?? []
  if (host === '') throw fail('invalid_argument', `${JSON.stringify(text)} names no host`)
  if (port === undefined) return { host }
  const number = Number(port)
  if (number < 1 || number > 65_535) throw fail('invalid_argument', `${port} is no port`, { hint: 'Between 1 and 65535.' })
  return { host, port: number }
}
