import { string } from '@oclif/core/args'
import { boolean } from '@oclif/core/flags'
import { AmuxCommand, providerFlag } from '../../cli/index.ts'
import { paths } from '../../config/index.ts'
import type { ComputerInfo } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { type Located, type ProjectRecord, adopt, inspect, isOurs, locate, look, openProject, searchComputer } from '../../project/index.ts'

export default class Use extends AmuxCommand {
  static override summary = "Choose which computer is this project's, or which provider."
  static override description = `Commands here work on it from now on. A computer that amux did not make is taken in with --adopt. In a copy of a project, --share uses the original's computers. Without a name it accepts a record that somebody else wrote, or switches to the provider given with -P.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> amux-web-k3x9qd',
    '<%= config.bin %> <%= command.id %> -P docker',
    '<%= config.bin %> <%= command.id %> my-box -P docker --adopt',
    '<%= config.bin %> <%= command.id %> --share',
  ]
  static override args = { computer: string({ description: 'Name of a computer.', ignoreStdin: true }) }
  static override flags = {
    provider: providerFlag,
    adopt: boolean({ summary: 'Take in a computer that amux did not make.' }),
    share: boolean({ summary: "In a copied project: use the original's computers too." }),
  }

  async execute(): Promise<void> {
    const { args, flags } = await this.parse(Use)
    const { computer: wanted } = args
    await this.#check(wanted, flags)
    const store = await openProject(this.amux.project(), paths().state, {
      share: flags.share,
      confirm: (question) => this.confirm(question),
      ...(wanted !== undefined && { unless: wanted }),
    })
    const record = store.read()
    const located = await this.#locate(record, wanted, flags.provider)
    const { provider, name } = located
    const info = await this.#there(located)
    const foreign = !isOurs(info, record, provider)
    if (foreign && !flags.adopt) {
      throw fail('conflict', `${name} on ${provider} was not made by amux`, { hint: `Take it in: amux computer use ${name} -P ${provider} --adopt`, provider, computer: name })
    }
    if (foreign) await this.confirm(`Let amux work on ${name} on ${provider}, which it did not make? It will put ${await this.#puts(provider)} on it, and "rm" will delete it.`)
    const project = info.labels['amux.project-id']
    const own = project !== undefined && store.wasHere(project)
    if (project !== undefined && !own && project !== record?.id) this.out.note(`${name} was made for another project: ${info.labels['amux.project'] ?? project}`)
    const workspace = located.workspace ?? info.workspace
    await adopt(store, { provider, name, ...(workspace === undefined ? {} : { workspace }) }, { adopted: foreign, madeAt: info.createdAt, id: own ? project : undefined })
    this.out.data({ ...info, provider, workspace, current: true }, () => `${name} on ${provider} is this project's computer`)
  }

  /** A record is given up or shared only for a computer that is there. */
  async #check(wanted: string | undefined, { share, provider }: { readonly share: boolean; readonly provider?: string | undefined }): Promise<void> {
    const state = paths().state
    const { problem } = look(() => this.amux.project(), state)
    if (share) await this.#there(await this.#locate(inspect(this.amux.project(), state).record, wanted, provider))
    else if (problem && wanted !== undefined) await this.#there(await this.#locate(undefined, wanted, provider))
  }

  /** A provider that has sessions of its own needs no guest. */
  async #puts(provider: string): Promise<string> {
    const { descriptor } = await this.amux.registry.connect(provider)
    return descriptor.capabilities.sessions?.fidelity === 'native' ? 'small programs of its own' : 'its guest'
  }

  async #there({ provider, name }: Located): Promise<ComputerInfo> {
    return (await (await this.amux.registry.connect(provider)).get(name)).info()
  }

  /** Recorded, or given with its provider, or found by asking every provider. */
  async #locate(record: ProjectRecord | undefined, name: string | undefined, given: string | undefined): Promise<Located> {
    const provider = given ?? (name === undefined ? this.amux.settings.provider : undefined)
    const recorded = locate(record, { computer: name, provider })
    if (recorded) return recorded
    if (name === undefined) throw await this.#none(given)
    if (provider !== undefined) return { provider, name }
    const { providers } = await this.amux.registry.discover()
    return searchComputer(name, providers.map(({ descriptor }) => descriptor.id), (id) => this.amux.registry.connect(id))
  }

  async #none(provider: string | undefined): Promise<Error> {
    const id = await this.amux.providerId(provider)
    return fail('not_found', `this project has no computer on ${id}`, { hint: `Make one: amux computer create -P ${id}`, provider: id })
  }
}
