import type { ContainerInspectInfo } from 'dockerode'
import { type Duplex, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectContext } from '../../../src/contract/index.ts'
import type { Client } from './client.ts'
import { borrow, discard, has, lookAt, mustLook, put, UNLABELLED } from './engine/container.ts'
import { part } from './engine/demux.ts'
import { fail, hasCode, statusOf } from './errors.ts'
import { helperImage, inspectImage, needHelperImage } from './images/image.ts'
import { kitName } from './run/kit.ts'
import { needVault } from './disk/volumes.ts'
import { refusedWords } from './disk/way.ts'
import { isOurs, marks, type Meta } from './meta.ts'
import { beside, KIT_VOLUME, netOf, volumesOf } from './names.ts'

const PATIENCE_MS = 15_000
const PLACE = `${beside.store}/network`

/**
 * The container that keeps a computer's network policy. It is there once a policy was given, stopped or not: that is how
 * every amux knows, on whatever machine, that nothing may run on the computer before this does.
 */
export async function makeNet(client: Client, { guest }: Pick<ConnectContext, 'guest'>, meta: Meta, policy?: string): Promise<void> {
  const { Id: of } = await mustLook(client, meta.name)
  const [image] = await Promise.all([needHelperImage(client, meta.image), needVault(client, meta.name)])
  const kit = `${beside.kit}/${kitName(guest, meta.arch)}`
  const ports = (meta.hostPorts ?? []).flatMap((port) => ['--host-port', String(port)])
  const made = await client.call((docker) =>
    docker.createContainer({
      name: netOf(meta.name),
      Image: image,
      User: '0:0',
      WorkingDir: '/',
      Entrypoint: [`${kit}/amux-net`, 'serve', PLACE, '--netns-of', '1', '--ready-fd', '1', ...ports],
      Cmd: [],
      Labels: marks(meta.name, 'net'),
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        Mounts: [
          { Type: 'volume', Source: KIT_VOLUME, Target: beside.kit, ReadOnly: true },
          { Type: 'volume', Source: volumesOf(meta.name).vault, Target: beside.store },
        ],
        PidMode: `container:${of}`,
        // Where an engine maps users, only the machine's own root gets into another container's network.
        UsernsMode: 'host',
        // Where the ports of the machine are, which it hands on.
        NetworkMode: ports.length > 0 ? 'host' : 'bridge',
        CapAdd: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN'],
        SecurityOpt: UNLABELLED,
        RestartPolicy: { Name: 'no' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '64k', 'max-file': '1' } },
      },
    }),
  ).catch((error: unknown) => {
    if (hasCode(error, 'unauthorized')) throw fail('unsupported', `no network policy of ${meta.name} can be kept: ${refusedWords(error instanceof Error ? error.message : '')}`, { computer: meta.name, cause: error })
    // Two give a policy at once: one of them makes it.
    if (!hasCode(error, 'conflict')) throw error
  })
  if (made === undefined) return untilThere(client, meta)
  const { id } = made
  const folder = { name: 'network', mode: 0o700 }
  await put(client, id, beside.store, policy === undefined ? [folder] : [folder, { name: 'network/policy', mode: 0o600, content: policy }])
}

/** Its name is taken a moment before it can be seen. */
async function untilThere(client: Client, { name }: Meta): Promise<void> {
  for (const give = performance.now() + PATIENCE_MS; !(await hasNet(client, name)); await delay(20)) {
    const other = await lookAt(client, netOf(name))
    if (other || performance.now() > give) throw fail('conflict', `there is a container ${netOf(name)} that amux did not make: no policy of ${name} can be kept`, { computer: name, hint: `Give it another name: docker rename ${netOf(name)} OTHER` })
  }
}

/** A policy that was given stays in force: where somebody has removed what keeps it, another one does. Before its computer runs anything. */
export async function regainNet(client: Client, context: Pick<ConnectContext, 'guest'>, meta: Meta): Promise<void> {
  if (meta.access === 'none' || (await hasNet(client, meta.name))) return
  await needVault(client, meta.name)
  if (await hasPolicy(client, meta)) await makeNet(client, context, meta)
}

async function hasPolicy(client: Client, { name, image: own }: Meta): Promise<boolean> {
  const image = (await inspectImage(client, own))?.Id ?? (await helperImage(client, own))
  // Without any there was never one, or there is nothing that could keep it.
  if (image === undefined) return false
  const vault = { Type: 'volume' as const, Source: volumesOf(name).vault, Target: beside.store }
  return borrow(client, image, [vault], (id) => has(client, id, `${PLACE}/policy`))
}

export async function hasNet(client: Client, name: string): Promise<boolean> {
  return (await lookNet(client, name)) !== undefined
}

async function lookNet(client: Client, name: string) {
  const found = await lookAt(client, netOf(name))
  return found && isOurs(found.Config.Labels, 'net') ? found : undefined
}

/** Resolves when the policy is in force. Its computer runs. Others may be doing the same. */
export async function startNet(client: Client, context: Pick<ConnectContext, 'guest'>, meta: Meta, { Id: of, State: { StartedAt: since } }: ContainerInspectInfo): Promise<void> {
  const kit = `${beside.kit}/${kitName(context.guest, meta.arch)}/`
  for (const give = performance.now() + PATIENCE_MS; ; ) {
    const found = await lookNet(client, meta.name)
    if (found === undefined) return
    const { Running: running, StartedAt: started } = found.State
    if (found.HostConfig.PidMode !== `container:${of}` || found.Config.Entrypoint?.[0]?.startsWith(kit) !== true) {
      await discard(client, found.Id)
      await makeNet(client, context, meta)
    } else if (running && started >= since) {
      if (await isReady(client, found)) return
      await delay(10)
    } else if (running) {
      // It is in the namespaces of what its computer was before.
      await client.call((docker) => docker.getContainer(found.Id).kill()).catch(() => undefined)
    } else if (started >= since) throw explained(meta.name, await said(client, found))
    else await begin(client, found.Id)
    if (performance.now() > give) throw explained(meta.name, `its server is not ready within ${PATIENCE_MS / 1000} s`)
  }
}

async function begin(client: Client, id: string): Promise<void> {
  try {
    await client.call((docker) => docker.getContainer(id).start())
  } catch (error) {
    // Somebody else was quicker, or replaces it.
    if (statusOf(error) !== 304 && !hasCode(error, 'not_found')) throw error
  }
}

async function isReady(client: Client, found: ContainerInspectInfo): Promise<boolean> {
  return /^ready$/m.test(await said(client, found))
}

/** While it runs, since it ended before, if it did: an engine may say that it started only after its first words. */
async function said(client: Client, { Id, State: { Running, StartedAt, FinishedAt } }: ContainerInspectInfo): Promise<string> {
  const log = await client.call((docker) => docker.getContainer(Id).logs({ stdout: true, stderr: true, since: Math.max(0, Date.parse(Running ? FinishedAt : StartedAt) / 1000) }))
  const { stdout, stderr } = part(Readable.from([log]) as Duplex, false)
  const [out, err] = await Promise.all([text(stdout.source), text(stderr.source)])
  return out + err
}

function explained(name: string, log: string): Error {
  const line = log.trim().split('\n').at(-1) ?? ''
  const [word, , step = '', , why = ''] = line.split('\t')
  const reason = word === 'error' ? `${step}: ${why}` : line || 'its server ended without a word'
  return fail(step === 'tool' ? 'tool_missing' : 'failed', `the network policy of ${name} cannot be put in force: ${reason}`, { computer: name })
}
