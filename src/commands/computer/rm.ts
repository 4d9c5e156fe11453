import { AmuxCommand, computerArg, computerFlags, ownComputer, pick } from '../../cli/index.ts'
import { hasCode } from '../../errors/index.ts'
import { isAnothers, locate, locatePending, removeComputer } from '../../project/index.ts'

export default class Rm extends AmuxCommand {
  static override summary = "Delete a computer and everything on it. The project's files here stay."
  static override aliases = ['computer:delete', 'computer:destroy']
  static override destructive = true
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> amux-web-k3x9qd --yes']
  static override args = { computer: computerArg }
  static override flags = computerFlags

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Rm)
    const wanted = pick(flags, args.computer)
    const store = await (wanted.computer === undefined ? this.amux.store() : this.amux.followed())
    const record = store?.read()
    const named = { ...wanted, provider: wanted.provider ?? (wanted.computer === undefined ? this.amux.settings.provider : undefined) }
    const pending = locatePending(record, named)
    const recorded = locate(record, named) ?? pending
    const found = await ownComputer(this.amux, wanted).catch((error: unknown) => {
      if (recorded === undefined || !hasCode(error, 'not_found')) throw error
      return undefined
    })
    // Nothing was made for this project under a name that another one's has.
    const strange = recorded !== undefined && recorded === pending && found !== undefined && isAnothers(await found.info(), record)
    const computer = strange ? undefined : found
    const located = recorded ?? { provider: computer?.provider ?? '', name: computer?.name ?? '' }
    const { provider, name } = located
    if (computer) await this.confirm(`Delete ${name} on ${provider} and everything on it? The project's files here stay.`)
    if (computer) this.out.progress(`Deleting ${name}`)
    const there = await removeComputer(store, located, async () => computer?.delete({ signal: this.signal }))
    const deleted = computer !== undefined && there
    this.out.data({ name, provider, deleted }, () => (deleted ? `${name} is deleted` : `${name} ${strange ? `on ${provider} is another project's` : `was no longer on ${provider}`}: forgotten`))
  }
}
