import { integer } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { openBrowser } from '../../cli/browser.ts'
import { AmuxCommand, computerFlags } from '../../cli/index.ts'
import { interrupted, listenFor } from '../../cli/ports.ts'
import type { ComputerUrl, EquippedComputer, Urls } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'

/** Where the services of computers listen that have no service with an HTTP port. */
const USUAL = 8080

export default class Url extends AmuxCommand {
  static override summary = "Show a computer's URL, or give it one on this machine."
  static override description = `Where the provider keeps a URL, it is shown; it leads to the service with an HTTP port, else to port 8080. Elsewhere this command listens on loopback for as long as it runs.`
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> 3000 --open', '<%= config.bin %> <%= command.id %> --public']
  static override args = { port: integer({ description: "The computer's port.", ignoreStdin: true, min: 1, max: 65535 }) }
  static override flags = {
    ...computerFlags,
    public: boolean({ summary: 'Let everybody in who knows the URL.', exclusive: ['private'] }),
    private: boolean({ summary: 'Let in only those who may use the computer.' }),
    open: boolean({ summary: 'Show it in the browser.' }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Url)
    const computer = await this.amux.computer(flags, { start: true })
    const access = flags.public ? 'public' : flags.private ? 'private' : undefined
    if (computer.url) return this.#kept(computer, computer.url, { port: args.port, access, open: flags.open })
    if (access === 'public') {
      const { note } = (await computer.capabilities()).url
      throw fail('unsupported', `${computer.name} has no URL that others could use${note === undefined ? '' : `: ${note}`}`, { hint: `Listen for others yourself: amux computer proxy -p 0.0.0.0:8080:${args.port ?? USUAL}` })
    }
    await computer.hold()
    await this.#listen(computer, args.port ?? (await guess(computer)), flags.open)
  }

  async #kept(computer: EquippedComputer, urls: Urls, { port, access, open }: { port: number | undefined; access: 'public' | 'private' | undefined; open: boolean }): Promise<void> {
    const served = port === undefined ? undefined : await leadsTo(computer)
    if (port !== undefined && served !== port) {
      throw fail('conflict', `the URL of ${computer.name} leads to port ${served ?? USUAL}, not to ${port}`, {
        hint: `Make what listens there a service: amux computer service create NAME --http-port ${port} -- PROGRAM. Or listen here: amux computer proxy -p ${port}`,
      })
    }
    const found: ComputerUrl = access === undefined ? await urls.get() : await urls.set(access)
    this.out.data({ ...found, computer: computer.name, provider: computer.provider }, () => found.url)
    if (access !== undefined) this.out.note(access === 'public' ? 'Everybody who knows it gets in.' : 'Only those who may use the computer get in.')
    if (open) await this.#open(found.url)
  }

  async #listen(computer: EquippedComputer, port: number, open: boolean): Promise<void> {
    const listening = await listenFor(computer, port, (message) => this.out.note(`amux: port ${port}: ${message}`))
    try {
      const url = `http://127.0.0.1:${listening.local}/`
      this.out.event({ url, access: 'private', port, computer: computer.name, provider: computer.provider }, url)
      this.out.note(`It leads to port ${port} on ${computer.name} until this is interrupted.`)
      if (open) await this.#open(url)
      await interrupted(this.signal)
    } finally {
      listening.close()
    }
  }

  async #open(url: string): Promise<void> {
    if (!(await openBrowser(url))) this.out.note('No browser was found here: open it yourself.')
  }
}

async function leadsTo({ services }: EquippedComputer): Promise<number> {
  return (await services.list()).find(({ httpPort }) => httpPort !== undefined)?.httpPort ?? USUAL
}

/** The service with an HTTP port, else the only port that listens. */
async function guess(computer: EquippedComputer): Promise<number> {
  const service = (await computer.services.list()).find(({ httpPort }) => httpPort !== undefined)
  if (service?.httpPort !== undefined) return service.httpPort
  const ports = [...new Set((await computer.ports.list()).map(({ port }) => port))]
  const [only] = ports
  if (only !== undefined && ports.length === 1) return only
  const found = ports.length === 0 ? `nothing listens on ${computer.name}` : `several ports listen on ${computer.name}: ${ports.join(', ')}`
  throw fail('invalid_argument', `which port? ${found}`, { hint: 'Name it: amux computer url 3000' })
}
