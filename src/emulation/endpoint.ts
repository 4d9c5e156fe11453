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
  return new GuestClient({ dial: () => dialUnix(unix), nonce, computer, provider, patience: PATIENCE_MS })
}
