import type { DriveOptions } from '../../terminal/index.ts'

type OnEnd = NonNullable<DriveOptions['onEnd']>

/** What goes back to a session of this computer. */
export function attachCommand(computer: string): string {
  return `amux computer attach -c ${computer}`
}

/** Told in words what became of the connection. On a terminal the program's screen is drawn anew afterwards. */
export function onConnection(say: (text: string) => void): (state: 'lost' | 'back') => void {
  return (state) => say(state === 'lost' ? '\namux: the connection is lost, trying again' : 'amux: connected again')
}

/** `take` hands over the signals that amux handles anyway; Ctrl-\ without a terminal of the program's own is one more. */
export function onEnd(take: OnEnd): OnEnd {
  return (handler) => {
    const release = take(handler)
    process.on('SIGQUIT', handler)
    return () => {
      process.off('SIGQUIT', handler)
      release()
    }
  }
}
