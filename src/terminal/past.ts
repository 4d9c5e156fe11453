import type { Socket } from 'node:net'
import type { Attachment } from '../contract/index.ts'
import { initProgram } from '../native/index.ts'
import type { Over, Visit, VisitOptions } from './visit.ts'

/** A way to the program past this process, while it lasts: see `Passage` of the guest's client. */
interface Passage {
  readonly socket: Socket
  readonly signal: AbortSignal
  passed(bytes: number): void
  end(known: boolean): void
}

/** An attachment whose computer may be on this machine. */
export interface Near extends Attachment {
  askDoor(): Promise<{ enter(): Promise<Passage | undefined> } | undefined>
}

export interface PastOptions extends Omit<VisitOptions, 'socket'> {
  /** Nobody reads here until `go`. False: it cannot be now. */
  hold(): Promise<boolean>
  /** Its own is read again; `over`: what became of it, if it began. */
  go(over: Over | undefined): void
  onVisit?(visit: Visit): void
}

/** Whether anybody could pass this process by. */
export function mayPass(attachment: Attachment): attachment is Near {
  return 'askDoor' in attachment && initProgram() !== undefined
}

/**
 * Has a program of ours stand between the local terminal, or pipe, and the computer's program, past this process and the
 * guest. Resolves when that is over; `undefined`: it could not be.
 */
export async function passBy(attachment: Near, options: PastOptions): Promise<Over | undefined> {
  const program = initProgram()
  const door = program === undefined ? undefined : await attachment.askDoor()
  if (program === undefined || door === undefined) return undefined
  let over: Over | undefined
  let passage: Passage | undefined
  try {
    passage = (await options.hold()) ? await door.enter() : undefined
    if (passage !== undefined) over = await visiting(program, passage, options)
  } finally {
    options.go(over)
    passage?.end(over !== undefined && over.reason !== 'broken')
  }
  return over
}

async function visiting(program: string, passage: Passage, options: PastOptions): Promise<Over> {
  const { Visit } = await import('./visit.ts')
  const { signal, socket } = passage
  const onShown = (bytes: Buffer): void => {
    options.onShown?.(bytes)
    passage.passed(bytes.length)
  }
  const visit = await Visit.start(program, { ...options, socket, onShown })
  const leave = (): void => visit.leave()
  signal.addEventListener('abort', leave)
  if (signal.aborted) leave()
  options.onVisit?.(visit)
  return visit.over
}
