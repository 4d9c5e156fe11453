import type { CommandFlag } from '../../../../../src/contract/index.ts'
import { LISTEN } from './foreground.ts'

/** Of everything that starts a server. */
export const serveFlags = {
  listen: { type: 'option', summary: `Where to listen. Default ${LISTEN}; port 0 takes any that is free.`, helpValue: 'HOST:PORT' },
  'token-file': { type: 'option', summary: 'File of the token that every request needs. It is made when there is none.', helpValue: 'FILE' },
  'tls-cert': { type: 'option', summary: 'Serve HTTPS with this certificate (PEM).', helpValue: 'FILE' },
  'tls-key': { type: 'option', summary: "The certificate's key (PEM).", helpValue: 'FILE' },
} as const satisfies Readonly<Record<string, CommandFlag>>

/** As they were given, for the server that is started. */
export function passedOn(flags: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(serveFlags).flatMap((name) => (typeof flags[name] === 'string' ? [`--${name}`, flags[name]] : []))
}
