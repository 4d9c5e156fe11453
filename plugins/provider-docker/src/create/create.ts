import type { ConnectContext, CreateOptions, NetworkPolicy, TwinOptions } from '../../../../src/contract/index.ts'
import { checkProject } from '../../../shared/project.ts'
import { makePrivate } from '../../../shared/sockets.ts'
import type { Client } from '../client.ts'
import { discard, has, isComputer, mustLook, put } from '../engine/container.ts'
import type { TarEntry } from '../engine/tar.ts'
import { makeContainer, taken } from './container.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { type Facts, factsOf } from '../images/facts.ts'
import { chooseImage, inspectImage, needHelperImage } from '../images/image.ts'
import { ensureKit, kitName, makeKitVolume } from '../run/kit.ts'
import { marks, type Meta, readMeta } from '../meta.ts'
import { inside, runDir, volumesOf } from '../names.ts'
import { makeNet } from '../net.ts'
import { checkContainerName, checkOptions, wantedImage } from './options.ts'
import { clearUnfinished } from './unfinished.ts'
import { whileMaking } from '../engine/maker.ts'
import { guestNode, preparation, readEnvironment } from '../run/prepare.ts'
import { freeUser, projectUser, seedOf, superUser } from './seed.ts'
import { withShown } from '../disk/trees.ts'
import { foreignVolume, removeVolumes } from '../disk/volumes.ts'

/** One that nobody else has touched yet. */
export interface Built {
  readonly meta: Meta
  readonly id: string
  /** Whether there can be a guest. */
  readonly guest: boolean
}

/** Everything a computer consists of, ready for its first start. */
export async function build(client: Client, context: ConnectContext, options: CreateOptions): Promise<Built> {
  const limits = checkOptions(options)
  const { name, signal, network = {}, publish = [] } = options
  throwIfAborted(signal)
  const [ids] = await Promise.all([client.ids(), refuseTaken(client, name)])
  const shares = client.here && ids !== 'mapped'
  const project = options.project && shares ? checkProject(options.project) : undefined
  const { access = 'open', hostPorts = [], policy } = network
  const [image] = await Promise.all([chooseImage(client, wantedImage(options), context.progress, signal), makeKitVolume(client)])
  const guarded = hostPorts.length > 0 || (policy?.rules.length ?? 0) > 0
  if (guarded) await needHelperImage(client, image.id)
  const base: Omit<Meta, 'user'> = {
    schema: 1,
    name,
    createdAt: new Date().toISOString(),
    labels: options.labels,
    image: image.id,
    imageName: image.name,
    arch: image.arch,
    kit: kitName(context.guest, image.arch),
    access,
    ...(project && { project }),
    ...(shares && { run: runDir(context.dataDir, name) }),
    ...(ids !== 'own' && { ids }),
    ...(hostPorts.length > 0 && { hostPorts: [...new Set(hostPorts)] }),
    ...(publish.length > 0 && { publish }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
  const facts = await factsOf(client, image.id, context.dataDir)
  const yours = () => projectUser(process.getuid?.() ?? 1000, process.getgid?.() ?? 1000)
  const meta: Meta = { ...base, user: shares && ids === 'rootless' ? superUser : project ? yours() : freeUser(facts) }
  return assemble(client, context, meta, { facts, env: { ...image.env, ...options.env }, guarded, policy, signal })
}

/** One that begins as another one began, ready for its disk. */
export async function buildTwin(client: Client, context: ConnectContext, like: string, { name, labels, policy, signal }: TwinOptions): Promise<Built> {
  checkContainerName(name)
  const found = await mustLook(client, like)
  // Ports of this machine are the other one's.
  const { project, publish: _, ...rest } = await withShown(client, context, found, readMeta(like, found.Config.Labels))
  await refuseTaken(client, name)
  const image = await inspectImage(client, rest.image)
  if (image === undefined) throw fail('tool_missing', `the image of ${like} is gone: nothing can be made like it`, { computer: like, hint: `Get ${rest.imageName} again.` })
  const guarded = rest.hostPorts !== undefined || (policy?.rules.length ?? 0) > 0
  if (guarded) await needHelperImage(client, rest.image)
  const [env, facts] = await Promise.all([readEnvironment(client, found.Id), factsOf(client, rest.image, context.dataDir)])
  await makeKitVolume(client)
  const meta: Meta = {
    ...rest,
    name,
    labels,
    createdAt: new Date().toISOString(),
    kit: kitName(context.guest, rest.arch),
    ...(project && { project, copied: true }),
    ...(client.here && rest.ids !== 'mapped' && { run: runDir(context.dataDir, name) }),
  }
  return assemble(client, context, meta, { facts, env, guarded, policy, signal })
}

interface Parts {
  readonly facts: Facts
  readonly env: Readonly<Record<string, string>>
  /** Its network has a server beside it from the beginning. */
  readonly guarded: boolean
  readonly policy: NetworkPolicy | undefined
  readonly signal: AbortSignal | undefined
}

async function assemble(client: Client, context: ConnectContext, meta: Meta, parts: Parts): Promise<Built> {
  const { name } = meta
  throwIfAborted(parts.signal)
  if (meta.run !== undefined) makePrivate(meta.run)
  return whileMaking(name, () => make(client, context, meta, parts))
}

async function make(client: Client, context: ConnectContext, meta: Meta, { facts, env, guarded, policy, signal }: Parts): Promise<Built> {
  const { name } = meta
  const id = await makeContainer(client, meta, name)
  try {
    await client.call((docker) => docker.createVolume({ Name: volumesOf(name).vault, Labels: marks(name, 'vault') }))
    const [node, git] = await Promise.all([guestNode(client, id, meta, meta.kit), gitFile(client, id, meta), ensureKit(client, id, meta, context.guest, context.progress)])
    const files = [{ name: 'env.json', mode: 0o600, content: JSON.stringify(env) }, ...(node === undefined ? [] : preparation(meta, context, node).files(env))]
    await put(client, id, '/', [...seedOf(meta, facts), ...git, ...files.map((one) => ({ ...one, name: `${inside.store.slice(1)}/${one.name}` }))], signal)
    if (guarded) await makeNet(client, context, meta, policy && context.policyText(policy))
    return { meta, id, guest: node !== undefined }
  } catch (error) {
    // What stays is found unfinished by the next create.
    await discard(client, id).then(() => removeVolumes(client, name)).catch((reason: unknown) => context.debug(`remains of ${name} stay: ${String(reason)}`))
    throw error
  }
}

/** The project's owner need not be whoever runs git on it there: that is said once, unless an image says something itself. */
async function gitFile(client: Client, id: string, { project, copied }: Meta): Promise<readonly TarEntry[]> {
  if (project === undefined || copied || (await has(client, id, '/etc/gitconfig'))) return []
  return [{ name: 'etc/gitconfig', mode: 0o644, content: '[safe]\n\tdirectory = *\n' }]
}

async function refuseTaken(client: Client, name: string): Promise<void> {
  const [{ container, left }, volume] = await Promise.all([clearUnfinished(client, name), foreignVolume(client, name)])
  if (left || (container && isComputer(container, name))) throw taken(name)
  if (container) throw fail('conflict', `there is a container ${name} that amux did not make`, { computer: name, hint: 'Choose another name: --name NAME' })
  if (volume !== undefined) throw fail('conflict', `there is a volume ${volume} that amux did not make`, { computer: name, hint: 'Choose another name: --name NAME' })
}
