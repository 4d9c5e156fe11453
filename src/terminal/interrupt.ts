/** Within this time a second Ctrl-C means the client, not the program. */
export const SECOND_INTERRUPT_MS = 2000

/** Ctrl-C without a terminal of the program's own: the first one is the program's, a second one soon after is ours. */
export class Interrupts {
  private last = Number.NEGATIVE_INFINITY
  private readonly now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.now = now
  }

  next(): 'program' | 'detach' {
    const at = this.now()
    const soon = at - this.last <= SECOND_INTERRUPT_MS
    this.last = at
    return soon ? 'detach' : 'program'
  }
}
