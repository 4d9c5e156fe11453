import { boolean, integer, string } from '@oclif/core/flags'
import { AmuxCommand, assignments, createOptions, duration, providerFlag } from '../../cli/index.ts'
import { environment, paths } from '../../config/index.ts'
import type { NetworkOptions } from '../../contract/index.ts'
import { networkOption } from '../../emulation/index.ts'
import { needCapability } from '../../cli/need.ts'
import { parsePublish } from '../../ports/index.ts'
import { createComputer, openProject } from '../../project/index.ts'

export default class Create extends AmuxCommand {
  static override summary = "Make this project's computer, or show the one it has."
  static override description = `The first one chooses the project's provider; there is no default. A computer keeps its disk until it is removed with "rm".`
  static override examples = [
    '<%= config.bin %> <%= command.id %> -P local',
    '<%= config.bin %> <%= command.id %> -e NODE_ENV=development --env-file .env.computer',
    '<%= config.bin %> <%= command.id %> --network policy.json --host-port 5432',
    '<%= config.bin %> <%= command.id %> -P docker -o image=debian:12',
    '<%= config.bin %> <%= command.id %> -P docker --idle 30m -p 8080:80',
    '<%= config.bin %> <%= command.id %> -P docker --cpus 1.5 --memory 4g',
  ]
  static override flags = {
    provider: providerFlag,
    name: string({ summary: 'Name of the computer. Default: amux-<project>-<id>.', helpValue: 'NAME' }),
    env: string({ char: 'e', summary: "Variable of the computer's environment; NAME alone copies it from here.", helpValue: 'NAME=VALUE', multiple: true }),
    'env-file': string({ summary: 'File with such variables.', helpValue: 'FILE', multiple: true }),
    label: string({ char: 'l', summary: 'Label it.', helpValue: 'KEY=VALUE', multiple: true }),
    option: string({ char: 'o', summary: "The provider's own option; see: amux provider info ID.", helpValue: 'NAME=VALUE', multiple: true }),
    cpus: string({ summary: 'How many processors it may use, such as 1.5, where the provider can limit that.', helpValue: 'NUMBER' }),
    memory: string({ summary: 'How much memory it may use, such as 4g, where the provider can limit that.', helpValue: 'SIZE' }),
    network: string({ summary: 'What it may talk to from the start: open (default), none, defaults, or a policy FILE.', helpValue: 'POLICY' }),
    'host-port': integer({ summary: "Let it reach this port of this machine's loopback, on its own localhost. May be repeated.", helpValue: 'PORT', multiple: true, min: 1, max: 65535 }),
    idle: duration({ summary: 'Have it stop by itself once nothing has used it for that long: 30m, 2h. Default: never.' }),
    publish: string({ char: 'p', summary: "Publish its port REMOTE at LOCAL of the engine's machine, on loopback unless an ADDRESS is given. May be repeated.", helpValue: '[ADDRESS:]LOCAL:REMOTE', multiple: true, multipleNonGreedy: true }),
    auto: string({ summary: 'Make a checkpoint by itself before each "run".', options: ['before-run'] as const, helpValue: 'before-run' }),
    new: boolean({ summary: 'Make another, though the project (or the one it was copied from) has one.' }),
  }

  async execute(): Promise<void> {
    const { flags } = await this.parse(Create)
    if (flags.new) await openProject(this.amux.project(), paths().state, { fresh: true })
    const store = await this.amux.store()
    const backend = await this.amux.registry.connect(await this.amux.providerId(flags.provider))
    if (flags.idle !== undefined) needCapability(backend.descriptor, 'idle-stop', '--idle')
    if (flags.publish !== undefined) needCapability(backend.descriptor, 'publish', '-p')
    const request = {
      name: flags.name,
      env: environment(flags),
      labels: assignments(flags.label, '-l'),
      options: createOptions(backend.descriptor, [...limits(flags), ...(flags.option ?? [])]),
      network: await network(flags.network, flags['host-port']),
      publish: flags.publish?.map(parsePublish),
      idle: flags.idle,
      auto: flags.auto === undefined ? undefined : ('before-run' as const),
    }
    const { info, located, created } = await createComputer(store, backend, request, {
      signal: this.signal,
      explicit: true,
      another: flags.new,
      progress: (text) => this.out.progress(text),
      note: (text) => this.out.note(text),
    })
    if (store.outside) this.out.note(`${store.project.root} cannot be written: its record is kept in ${store.file}`)
    if (!created) this.out.note(`This project has a computer on ${backend.id} already.`)
    this.out.data({ ...info, provider: backend.id, workspace: located.workspace, created }, () => located.name)
  }
}

/** Options that several providers have: worth a flag of their own. */
function limits(flags: { readonly cpus?: string | undefined; readonly memory?: string | undefined }): readonly string[] {
  return (['cpus', 'memory'] as const).flatMap((name) => (flags[name] === undefined ? [] : [`${name}=${flags[name]}`]))
}

/** Undefined where nothing was said: the provider's own way. */
async function network(policy: string | undefined, hostPorts: readonly number[] | undefined): Promise<NetworkOptions | undefined> {
  if (policy === undefined && hostPorts === undefined) return undefined
  return { ...(policy !== undefined && (await networkOption(policy))), ...(hostPorts && { hostPorts: [...new Set(hostPorts)] }) }
}
