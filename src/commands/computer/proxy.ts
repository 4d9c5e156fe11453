import { string } from '@oclif/core/flags'
import { AmuxCommand, computerArg, computerFlags, pick } from '../../cli/index.ts'
import { type ForwardEvents, type Listening, forward, parseForward } from '../../ports/index.ts'

export default class Proxy extends AmuxCommand {
  static override summary = 'Listen here, and pass every connection on to a port of a computer.'
  static override description = 'Runs until it is interrupted. It listens on loopback unless an address is given, and goes on when the connection to the computer breaks.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> -p 3000',
    '<%= config.bin %> <%= command.id %> -p 8080:80 -p :5432',
    '<%= config.bin %> <%= command.id %> -p 0.0.0.0:8080:80',
    '<%= config.bin %> <%= command.id %> -p 5432:5432@db.internal',
  ]
  static override args = { computer: computerArg }
  static override flags = {
    ...computerFlags,
    port: string({ char: 'p', required: true, multiple: true, multipleNonGreedy: true, summary: 'What to pass on: PORT, LOCAL:REMOTE, ADDRESS:LOCAL:REMOTE, each with @HOST as the computer sees it.', helpValue: 'LOCAL:REMOTE' }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Proxy)
    const wanted = flags.port.map(parseForward)
    const computer = await this.amux.computer(pick(flags, args.computer), { start: true })
    const open: Listening[] = []
    try {
      for (const one of wanted) {
        const listening = await forward(computer, one, once((message) => this.out.note(`amux: port ${one.remote}: ${message}`)))
        open.push(listening)
        const { address, local, remote, host } = listening
        const here = `${address.includes(':') ? `[${address}]` : address}:${local}`
        const there = `${host === '127.0.0.1' ? '' : `${host}:`}${remote} on ${computer.name}`
        this.out.event({ address, port: local, remote, host, computer: computer.name }, `${here} -> ${there}`)
      }
      await stopped(this.signal)
    } finally {
      for (const listening of open) listening.close()
    }
  }
}

/** A browser tries again and again: the same trouble is told once, until something got through. */
function once(tell: (message: string) => void): ForwardEvents {
  let last: string | undefined
  return {
    onOpen: () => (last = undefined),
    onProblem(message) {
      if (message !== last) tell(message)
      last = message
    },
  }
}

/** Ctrl-C and the time limit are how it ends; the exit status says which. */
async function stopped(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
  throw signal.reason
}
