import { type DriveOptions, processLocal } from '../../terminal/index.ts'

type OnEnd = NonNullable<DriveOptions['onEnd']>

/** What goes back to a session of this computer. */
export function attachCommand(computer: string): string {
  return `amux computer attach -c ${computer}`
}

/** Told in words what became of the connection. A terminal shows by itself when it is back: the program's screen is drawn anew. */
export function onConnection(say: (text: string) => void): (state: 'lost' | 'back') => void {
  const drawn = processLocal.isTerminal('stdout')
  return (state) => {
    if (state === 'lost') say(`${drawn ? '\n' : ''}amux: the connection is lost, trying again`)
    else if (!drawn) say('amux: connected again')
  }
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
