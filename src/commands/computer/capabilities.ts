import { boolean } from '@oclif/core/flags'
import type { Capabilities, CapabilityId } from '../../contract/index.ts'
import { AmuxCommand, computerArg, computerFlags, pick } from '../../cli/index.ts'
import { foresee } from '../../emulation/index.ts'
import { hasCode } from '../../errors/index.ts'

export default class ComputerCapabilities extends AmuxCommand {
  static override summary = 'Show what a computer can do, how well, and what to do where it cannot.'
  static override description = `"native" is the provider's own, "emulated" is built by amux and equal, with one line on what it costs, "unavailable" comes with a way around. Where the project has no computer yet, it shows what one made now would have.`
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --compare', '<%= config.bin %> <%= command.id %> -P local --json']
  static override args = { computer: computerArg }
  static override flags = { ...computerFlags, compare: boolean({ summary: 'All installed providers side by side.' }) }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(ComputerCapabilities)
    if (flags.compare) return this.#compare()
    const selection = pick(flags, args.computer)
    const { subject, capabilities } = await this.#one(selection.computer, selection.provider)
    if (this.out.json) return this.out.data({ ...subject, capabilities }, () => '')
    this.out.table(Object.entries(capabilities), {
      capability: ([id]) => id,
      fidelity: ([, { fidelity }]) => fidelity,
      note: ([, { note, workaround }]) => [note, workaround].filter(Boolean).join('. '),
    }, { name: ([id]) => id })
  }

  async #one(computer: string | undefined, provider: string | undefined): Promise<{ subject: Record<string, string>; capabilities: Capabilities }> {
    try {
      const one = await this.amux.computer({ computer, provider })
      return { subject: { computer: one.name, provider: one.provider }, capabilities: await one.capabilities() }
    } catch (error) {
      if (computer !== undefined || !hasCode(error, 'not_found') || (await this.amux.store()).read()?.providers[await this.amux.providerId(provider)]?.current !== undefined) throw error
    }
    const id = await this.amux.providerId(provider)
    this.out.note(`This project has no computer on ${id} yet. One made now would have:`)
    return { subject: { provider: id }, capabilities: await this.#expected(id) }
  }

  /** The declaration, lowered by what this machine, plan or account allows, if the provider can be asked. */
  async #expected(id: string): Promise<Capabilities> {
    const { descriptor } = await this.amux.registry.find(id)
    const health = await this.amux.registry.connect(id).then(
      (provider) => provider.health(),
      (error: unknown) => {
        this.out.note(`amux: ${id} cannot be asked, so this is what it declares: ${error instanceof Error ? error.message : String(error)}`)
        return undefined
      },
    )
    return foresee({ ...descriptor.capabilities, ...health?.capabilities })
  }

  async #compare(): Promise<void> {
    const { providers } = await this.amux.registry.discover()
    const ids = providers.map(({ descriptor }) => descriptor.id)
    const tables = new Map(await Promise.all(ids.map(async (id) => [id, await this.#expected(id)] as const)))
    if (this.out.json) return this.out.data(Object.fromEntries(tables), () => '')
    const capabilities = Object.keys(tables.values().next().value ?? {}) as CapabilityId[]
    const columns = ids.map((id) => [id, (capability: CapabilityId) => tables.get(id)?.[capability].fidelity] as const)
    this.out.table(capabilities, { capability: (capability) => capability, ...Object.fromEntries(columns) }, { name: (capability) => capability, empty: 'No provider is installed.' })
  }
}
