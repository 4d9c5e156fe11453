import { boolean, string } from '@oclif/core/flags'
import { AmuxCommand, computerArg, computerFlags, pick } from '../../cli/index.ts'
import { interrupted, listenFor, once } from '../../cli/ports.ts'
import type { EquippedComputer } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { type Listening, formatEnd, forward, forwardAll, parseForward, parseTarget, pipe } from '../../ports/index.ts'

export default class Proxy extends AmuxCommand {
  static override summary = 'Listen here, and pass every connection on to a port of a computer.'
  static override description = `Runs until it is interrupted. It listens on loopback unless an address is given, and goes on when the connection to the computer breaks.

With -W one connection is made and joined with standard input and output, as ssh wants it: ssh -o ProxyCommand='amux computer proxy -W %h:%p' localhost`
  static override examples = [
    '<%= config.bin %> <%= command.id %> -p 3000',
    '<%= config.bin %> <%= command.id %> -p 8080:80 -p :5432',
    '<%= config.bin %> <%= command.id %> -p 0.0.0.0:8080:80',
    '<%= config.bin %> <%= command.id %> -p 5432:5432@db.internal',
    '<%= config.bin %> <%= command.id %> --auto',
    '<%= config.bin %> <%= command.id %> -W localhost:22',
  ]
  static override args = { computer: computerArg }
  static override flags = {
    ...computerFlags,
    port: string({ char: 'p', multiple: true, multipleNonGreedy: true, summary: 'What to pass on: PORT, LOCAL:REMOTE, ADDRESS:LOCAL:REMOTE, each with @HOST as the computer sees it.', helpValue: 'LOCAL:REMOTE' }),
    auto: boolean({ summary: 'Pass on every port that opens there, for as long as it is open.' }),
    stdio: string({ char: 'W', summary: 'Join one connection with standard input and output.', helpValue: 'HOST:PORT', exclusive: ['port', 'auto'] }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Proxy)
    const wanted = (flags.port ?? []).map(parseForward)
    const target = flags.stdio === undefined ? undefined : parseTarget(flags.stdio)
    if (wanted.length === 0 && !flags.auto && !target) throw fail('invalid_argument', 'which port?', { hint: 'amux computer proxy -p 3000. Or all that open there: amux computer proxy --auto' })
    const computer = await this.amux.computer(pick(flags, args.computer), { start: true })
    await computer.hold()
    if (target) return pipe(computer, target, { input: process.stdin, output: process.stdout }, this.signal)
    const open: Listening[] = []
    try {
      for (const one of wanted) {
        const listening = await forward(computer, one, once((message) => this.out.note(`amux: port ${one.remote}: ${message}`)))
        open.push(listening)
        this.#tell(computer, listening)
      }
      if (flags.auto) await this.#auto(computer, new Set(wanted.map(({ remote }) => remote)))
      await interrupted(this.signal)
    } finally {
      for (const listening of open) listening.close()
    }
  }

  async #auto(computer: EquippedComputer, named: ReadonlySet<number>): Promise<void> {
    await forwardAll(computer, {
      signal: this.signal,
      skip: (port) => named.has(port),
      listen: (port) => listenFor(computer, port, (message) => this.out.note(`amux: port ${port}: ${message}`)),
      onOpened: (listening) => this.#tell(computer, listening),
      onClosed: ({ remote, local }) => this.out.event({ closed: true, port: local, remote, computer: computer.name }, `port ${remote} on ${computer.name} is closed`),
      onProblem: (port, error) => this.out.note(`amux: port ${port}: ${normalise(error).message}`),
    })
  }

  #tell(computer: EquippedComputer, { address, local, remote, host }: Listening): void {
    const here = formatEnd({ address, local })
    const there = `${host === '127.0.0.1' ? '' : `${host}:`}${remote} on ${computer.name}`
    this.out.event({ address, port: local, remote, host, computer: computer.name }, `${here} -> ${there}`)
  }
}
