import type { Computer, ComputerInfo, ConnectContext, CreateOptions, Health, Provider } from '../../../src/contract/index.ts'
import { checkName } from '../../shared/checks.ts'
import { bootNew } from './run/boot.ts'
import { Client } from './client.ts'
import { DockerComputer } from './computer.ts'
import { build } from './create/create.ts'
import { calledOtherwise, infoOf, networkShortfall, orphanInfo, stateOf } from './describe.ts'
import { clearUnfinished } from './create/unfinished.ts'
import { destroy } from './destroy.ts'
import { isComputer, missing } from './engine/container.ts'
import { throwIfAborted } from './errors.ts'
import { inspectImage } from './images/image.ts'
import { DEFAULT_IMAGE, LABEL, mendingOf } from './names.ts'
import { DockerTemplates } from './images/templates.ts'
import { finishRelocation } from './disk/relocate.ts'
import { isReachable, rootOf } from './disk/root.ts'
import { isRefusal, refusal, refused } from './disk/way.ts'
import { homes, leftovers } from './disk/volumes.ts'

/** Computers as containers of one engine. */
export class DockerProvider implements Provider {
  readonly templates: DockerTemplates
  readonly #client: Client
  readonly #context: ConnectContext

  constructor(context: ConnectContext) {
    this.#context = context
    this.#client = new Client(context.settings)
    this.templates = new DockerTemplates(this.#client, context)
  }

  async create(options: CreateOptions): Promise<Computer> {
    const built = await build(this.#client, this.#context, options)
    const { meta } = built
    const { name } = meta
    try {
      const found = await bootNew(this.#client, this.#context, built, options.signal)
      if (isReachable(found)) await rootOf(this.#client, this.#context, meta, found).catch((error: unknown) => (isRefusal(error) ? refused(this.#client, this.#context, error) : Promise.reject(error)))
    } catch (error) {
      // It never ran anything: the next create takes it, or removes what of it stays.
      await destroy(this.#client, this.#context, name).catch((reason: unknown) => this.#context.debug(`remains of ${name} stay: ${String(reason)}`))
      throw error
    }
    return new DockerComputer(name, this.#client, this.#context)
  }

  async get(name: string): Promise<Computer> {
    checkName(name)
    const { container, left } = await clearUnfinished(this.#client, name)
    const ours = container !== undefined && isComputer(container, name)
    if (!ours && !(await finishRelocation(this.#client, name)) && left === undefined) throw missing(name)
    return new DockerComputer(name, this.#client, this.#context)
  }

  async *list({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<ComputerInfo> {
    throwIfAborted(signal)
    const containers = await this.#client.call((docker) => docker.listContainers({ all: true, filters: { label: [`${LABEL.role}=computer`] } }), signal)
    const seen = new Set<string>()
    // One without a name is gone: an engine that was killed meanwhile lists it for as long as it runs.
    const whole = containers.filter(({ Names, Labels }) => Names.length > 0 && Names[0] !== `/${mendingOf(nameOf(Labels))}`)
    for (const { Labels: labels, State: state, Created, Names } of whole.toSorted((a, b) => (nameOf(a.Labels) < nameOf(b.Labels) ? -1 : 1))) {
      const name = nameOf(labels)
      if (seen.has(name)) continue
      seen.add(name)
      const called = calledOtherwise(name, Names)
      if (called !== undefined) {
        yield orphanInfo(name, { labels, roles: ['home'], called })
        continue
      }
      yield infoOf({ name, labels, state: stateOf(state), createdAt: new Date(Created * 1000).toISOString() })
    }
    for (const labels of await homes(this.#client)) if (!seen.has(nameOf(labels))) yield orphanInfo(nameOf(labels), (await leftovers(this.#client, nameOf(labels))) ?? { labels, roles: ['home'] })
  }

  async health({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Health> {
    const { address, because } = this.#client.found
    const where = { engine: address, 'found by': because }
    try {
      const { Version, Os, Arch, product } = await this.#client.version()
      const template = await inspectImage(this.#client, DEFAULT_IMAGE)
      const details = { ...where, version: Version, platform: `${Os}/${Arch}`, template: template ? DEFAULT_IMAGE : `none: amux computer template build` }
      return { ok: true, message: `${product} ${Version}`, capabilities: await networkShortfall(this.#client, await refusal(this.#client, this.#context), { access: 'open', image: DEFAULT_IMAGE }), details }
    } catch (error) {
      if (signal?.aborted) throw error
      const { message, code, hint } = error as Error & Partial<Pick<Health, 'code' | 'hint'>>
      return { ok: false, message, ...(code !== undefined && { code }), ...(hint !== undefined && { hint }), details: where }
    }
  }
}

function nameOf(labels: Readonly<Record<string, string>>): string {
  return labels[LABEL.of] ?? ''
}
