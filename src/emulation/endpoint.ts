import { dirname, join } from 'node:path'
import { fail } from '../errors/index.ts'
import { Place } from '../protocol/index.ts'
import { dialUnix, GuestClient } from './client/index.ts'

/** What is enough to speak with a guest on this machine without asking its provider. */
export interface Endpoint {
  readonly unix: string
  /** Of the guest one knew: another one answers `conflict`, and nothing happened. */
  readonly nonce: string
  readonly computer: string
  readonly provider: string
}

/** A guest on this machine is restarted within seconds, or not at all. */
const PATIENCE_MS = 15_000

/** The hot way in. Connects when first used; `unavailable` or `conflict` means: go the ordinary way. */
export function connectEndpoint({ unix, nonce, computer, provider }: Endpoint): GuestClient {
  const names = { computer, provider }
  return new GuestClient({
    ...names,
    dial: () => dialUnix(unix),
    direct: () => join(dirname(unix), Place.directSocket),
    accept(hello) {
      if (hello.nonce !== nonce) throw fail('conflict', 'this is another guest than the one meant', { source: 'transport', ...names })
      return Promise.resolve(true)
    },
    nonce,
    patience: PATIENCE_MS,
  })
}
