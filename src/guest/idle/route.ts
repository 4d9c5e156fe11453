import { GuestError } from '../wire.ts'
import type { Request } from '../request.ts'
import { isAfter } from './setting.ts'

/** Seconds after the last activity during which a computer still counts as working. */
const WINDOW = 60

export async function idleState(request: Request): Promise<void> {
  // Who asks is connected.
  request.json(await request.guest.state((request.number('window') ?? WINDOW) * 1000, 1))
}

export async function setIdleStop(request: Request): Promise<void> {
  const { after } = await request.document()
  if (after !== null && !isAfter(after)) throw new GuestError('invalid_argument', `${JSON.stringify(after)} is no time in milliseconds`)
  request.guest.stopper.set(after ?? undefined)
  request.done()
}
