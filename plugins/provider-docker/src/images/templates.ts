import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BuildTemplateOptions, ConnectContext, TemplateInfo, Templates } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { mustLook } from '../engine/container.ts'
import { follow } from '../engine/progress.ts'
import { tarOf, treeOf } from '../engine/tar.ts'
import { fail, hasCode, throwIfAborted } from '../errors.ts'
import { architectures, inspectImage } from './image.ts'
import { readMeta } from '../meta.ts'
import { DEFAULT_IMAGE, LABEL } from '../names.ts'

const NAME = /^[a-z0-9]+(?:[._/-][a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$/

/** Images that amux made. */
export class DockerTemplates implements Templates {
  readonly #client: Client
  readonly #context: ConnectContext

  constructor(client: Client, context: ConnectContext) {
    this.#client = client
    this.#context = context
  }

  async list(): Promise<readonly TemplateInfo[]> {
    const images = await this.#client.call((docker) => docker.listImages({ filters: { label: [LABEL.template] } }))
    const named = images.filter(({ Labels }) => isTemplate(Labels)).flatMap(({ RepoTags, Created, Size }) => (RepoTags ?? []).map((name) => infoOf(name, new Date(Created * 1000).toISOString(), Size)))
    return named.filter(({ name }) => name !== '<none>:<none>').toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async get(name: string): Promise<TemplateInfo> {
    const full = checked(name)
    const found = await inspectImage(this.#client, full)
    if (found === undefined) throw missing(full)
    if (!isTemplate(found.Config?.Labels)) throw fail('conflict', `${full} is an image that amux did not make`, { hint: `Remove it by hand: docker rmi ${full}` })
    return infoOf(full, found.Created, found.Size)
  }

  async build({ name = DEFAULT_IMAGE, rootfs, base, signal }: BuildTemplateOptions = {}): Promise<TemplateInfo> {
    const full = checked(name)
    if (rootfs !== undefined && base !== undefined) throw fail('invalid_argument', 'it begins with a file or with an image, not both', { source: 'amux' })
    throwIfAborted(signal)
    const { Arch } = await this.#client.version()
    const arch = architectures[Arch]
    if (arch === undefined) throw fail('unsupported', `amux has nothing for engines of architecture ${Arch}`, { hint: 'They are x64 or arm64.' })
    const from = rootfs === undefined ? base : await this.#import(rootfs, full, signal)
    try {
      await this.#build(full, from, arch, signal)
    } finally {
      // What was built from it keeps it.
      if (rootfs !== undefined && from !== undefined) await this.#client.call((docker) => docker.getImage(from).remove()).catch(() => undefined)
    }
    return this.get(full)
  }

  async remove(name: string): Promise<void> {
    const { name: full } = await this.get(name)
    await this.#client.call((docker) => docker.getImage(full).remove()).catch(async (error: unknown) => {
      if (!hasCode(error, 'conflict')) throw error
      const users = await this.#client.call((docker) => docker.listContainers({ all: true, filters: { ancestor: [full] } }))
      const names = users.flatMap(({ Names: [name] }) => name?.slice(1) ?? [])
      throw names.length === 0 ? error : fail('conflict', `${full} is what ${new Intl.ListFormat('en-GB').format(names)} ${names.length === 1 ? 'was' : 'were'} made from`, { hint: 'Remove what uses it first.', cause: error })
    })
  }

  async save(computer: string, name: string, { replace = false, signal }: { readonly replace?: boolean; readonly signal?: AbortSignal } = {}): Promise<TemplateInfo> {
    const full = checked(name)
    const { repo, tag } = split(full)
    throwIfAborted(signal)
    const found = await mustLook(this.#client, computer)
    const { labels } = readMeta(computer, found.Config.Labels)
    if (!replace && (await inspectImage(this.#client, full))) throw fail('already_exists', `there is an image ${full} already`, { hint: 'Choose another name, or replace it: --replace' })
    // A label cannot be taken away from an image, only emptied.
    const own = { [LABEL.template]: 'saved', [LABEL.role]: 'template', [LABEL.of]: '', [LABEL.meta]: '' }
    const emptied = Object.entries({ ...Object.fromEntries(Object.keys(labels).map((key) => [key, ''])), ...own })
    const changes = [...emptied.map(([key, value]) => `LABEL ${JSON.stringify(key)}=${JSON.stringify(value)}`), 'ENTRYPOINT []', 'CMD ["/bin/sh"]', 'USER root', 'WORKDIR /']
    await this.#client.call((docker) => docker.getContainer(found.Id).commit({ repo, tag, changes }), signal)
    return this.get(full)
  }

  async #import(rootfs: string, name: string, signal: AbortSignal | undefined): Promise<string> {
    const size = statSync(rootfs, { throwIfNoEntry: false })?.size
    if (size === undefined) throw fail('not_found', `there is no file ${rootfs}`, { source: 'amux' })
    this.#context.progress(`Taking in ${rootfs} (${Math.round(size / 1e6)} MB)`)
    const { repo } = split(name)
    const docker = await this.#client.docker()
    const stream = await this.#client.call(() => docker.importImage(createReadStream(rootfs), { fromSrc: '-', repo: `${repo}-rootfs`, tag: 'latest' }), signal)
    await this.#client.call(() => follow(docker, stream, () => {}, signal), signal)
    return `${repo}-rootfs:latest`
  }

  async #build(name: string, base: string | undefined, arch: string, signal: AbortSignal | undefined): Promise<void> {
    const { guest, progress } = this.#context
    const node = await guest.node(arch)
    progress(`Building ${name}: this takes a few minutes`)
    const context = tarOf([
      { name: 'Dockerfile', mode: 0o644, content: readFileSync(dockerfile(), 'utf8') },
      { name: 'node', mode: 0o755, from: { path: node, size: statSync(node).size } },
      ...treeOf('npm', guest.npm),
    ])
    const docker = await this.#client.docker()
    const labels = { [LABEL.template]: 'built', [LABEL.tools]: 'nftables' }
    const options = { t: name, rm: true, forcerm: true, labels, ...(base !== undefined && { buildargs: { BASE: base } }), ...(signal && { abortSignal: signal }) }
    // The types want a stream of their own kind.
    const stream = await this.#client.call(() => docker.buildImage(context as unknown as NodeJS.ReadableStream, options), signal)
    const said: string[] = []
    const tell = ({ stream: text = '', status }: { readonly stream?: string; readonly status?: string }) => {
      const line = (status ?? text).trim()
      if (line === '') return
      said.push(line)
      if (said.length > 20) said.shift()
      if (/^Step \d/.test(line)) progress(line.slice(0, 100))
    }
    await this.#client.call(() => follow(docker, stream, tell, signal), signal).catch((error: unknown) => {
      if (hasCode(error, 'aborted', 'timeout')) throw error
      throw explained(error, said)
    })
  }
}

function explained(error: unknown, said: readonly string[]): Error {
  const message = error instanceof Error ? error.message : String(error)
  const last = said.filter((line) => !line.startsWith('Step ')).slice(-3).join('; ')
  const offline = /dial tcp|no such host|pull access denied|registry|Temporary failure resolving|Could not resolve/i.test(`${message} ${last}`)
  return fail('failed', `the template cannot be built: ${message}${last === '' ? '' : ` (${last.slice(0, 500)})`}`, {
    hint: offline ? 'Where no registry can be reached, begin with a file system of a Debian: amux computer template build --from-rootfs FILE.tar' : undefined,
    cause: error,
  })
}

/** An image of a computer's disk has all that its template said. */
function isTemplate(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.[LABEL.template] !== undefined && labels[LABEL.role] !== 'disk'
}

function infoOf(name: string, createdAt: string, size: number): TemplateInfo {
  return { name, createdAt, size, ...(name === DEFAULT_IMAGE && { isDefault: true }) }
}

function checked(name: string): string {
  if (!NAME.test(name)) throw fail('invalid_argument', `${JSON.stringify(name)} is no name of an image`, { hint: 'It is like mine, or team/mine:2.', source: 'amux' })
  const { repo, tag } = split(name)
  return `${repo}:${tag}`
}

function split(name: string): { readonly repo: string; readonly tag: string } {
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? { repo: name.slice(0, colon), tag: name.slice(colon + 1) } : { repo: name, tag: 'latest' }
}

function missing(name: string): Error {
  return fail('not_found', `there is no template ${name}`, { hint: 'See which there are: amux computer template ls' })
}

/** In the plugin's package, whether it is built or not. */
function dockerfile(): string {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    const file = join(at, 'templates/amux/Dockerfile')
    if (existsSync(file)) return file
    if (dirname(at) === at) throw fail('provider_broken', 'the plugin has lost its Dockerfile', { hint: 'Install it again: amux plugins install @amux/provider-docker' })
  }
}

