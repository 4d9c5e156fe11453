import type { ConnectContext, CreateOptions } from '../../../../src/contract/index.ts'
import { checkProject } from '../../../shared/project.ts'
import { makePrivate } from '../../../shared/sockets.ts'
import type { Client } from '../client.ts'
import { discard, lookAt, put } from '../engine/container.ts'
import { makeContainer, taken } from './container.ts'
import { fail, throwIfAborted } from '../errors.ts'
import { factsOf } from '../images/facts.ts'
import { chooseImage, needHelperImage } from '../images/image.ts'
import { ensureKit, kitName, makeKitVolume } from '../run/kit.ts'
import { isOurs, marks, type Meta } from '../meta.ts'
import { inside, runDir, volumesOf } from '../names.ts'
import { makeNet } from '../net.ts'
import { checkOptions, wantedImage } from './options.ts'
import { guestNode, preparation } from '../run/prepare.ts'
import { freeUser, projectUser, seedOf } from './seed.ts'
import { leftovers, removeVolumes } from '../disk/volumes.ts'

/** Everything a computer consists of, ready for its first start. */
export async function build(client: Client, context: ConnectContext, options: CreateOptions): Promise<Meta> {
  const limits = checkOptions(options)
  const { name, signal, network = {}, publish = [] } = options
  throwIfAborted(signal)
  const project = options.project && client.here ? checkProject(options.project) : undefined
  const { access = 'open', hostPorts = [], policy } = network
  await refuseTaken(client, name)
  const image = await chooseImage(client, wantedImage(options), context.progress, signal)
  const guarded = hostPorts.length > 0 || (policy?.rules.length ?? 0) > 0
  if (guarded) await needHelperImage(client, image.id)
  await makeKitVolume(client)
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
    ...(client.here && { run: runDir(context.dataDir, name) }),
    ...(hostPorts.length > 0 && { hostPorts: [...new Set(hostPorts)] }),
    ...(publish.length > 0 && { publish }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
  const facts = await factsOf(client, image.id, context.dataDir)
  const meta: Meta = { ...base, user: project ? projectUser(process.getuid?.() ?? 1000, process.getgid?.() ?? 1000) : freeUser(facts) }
  throwIfAborted(signal)
  if (meta.run !== undefined) makePrivate(meta.run)
  const id = await makeContainer(client, meta, name)
  try {
    await client.call((docker) => docker.createVolume({ Name: volumesOf(name).vault, Labels: marks(name, 'vault') }))
    await ensureKit(client, id, meta, context.guest, context.progress)
    const env = { ...image.env, ...options.env }
    const node = await guestNode(client, id, meta, meta.kit)
    const files = [{ name: 'env.json', mode: 0o600, content: JSON.stringify(env) }, ...(node === undefined ? [] : preparation(meta, context, node).files(env))]
    await put(client, id, '/', [...seedOf(meta.user, facts), ...files.map((one) => ({ ...one, name: `${inside.store.slice(1)}/${one.name}` }))], signal)
    if (guarded) await makeNet(client, context, meta, policy && context.policyText(policy))
  } catch (error) {
    await discard(client, id)
    await removeVolumes(client, name)
    throw error
  }
  return meta
}

async function refuseTaken(client: Client, name: string): Promise<void> {
  const found = await lookAt(client, name)
  if (found && isOurs(found.Config.Labels)) throw taken(name)
  if (found) throw fail('conflict', `there is a container ${name} that amux did not make`, { computer: name, hint: 'Choose another name: --name NAME' })
  if (await leftovers(client, name)) throw taken(name)
}
