import type { Socket } from 'node:net'
import type { ConnectContext } from '../../../src/contract/index.ts'
import type { Client } from './client.ts'
import { discard, lookAt, put } from './engine/container.ts'
import { part } from './engine/demux.ts'
import { explain } from './engine/explain.ts'
import { fail, hasCode } from './errors.ts'
import { helperImage } from './image.ts'
import { kitName } from './kit.ts'
import { isOurs, marks, type Meta } from './meta.ts'
import { beside, KIT_VOLUME, netOf, volumesOf } from './names.ts'

const PLACE = `${beside.store}/network`

/**
 * The container that keeps a computer's network policy. It is there once a policy was given, stopped or not: that is how
 * every amux knows, on whatever machine, that nothing may run on the computer before this does.
 */
export async function makeNet(client: Client, { guest }: Pick<ConnectContext, 'guest'>, meta: Meta, policy?: string): Promise<void> {
  const image = await helperImage(client, meta.image)
  if (image === undefined) return
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
      AttachStdout: true,
      AttachStderr: true,
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        Mounts: [
          { Type: 'volume', Source: KIT_VOLUME, Target: beside.kit, ReadOnly: true },
          { Type: 'volume', Source: volumesOf(meta.name).vault, Target: beside.store },
        ],
        PidMode: `container:${meta.name}`,
        // Where the ports of the machine are, which it hands on.
        NetworkMode: ports.length > 0 ? 'host' : 'bridge',
        CapAdd: ['SYS_ADMIN', 'SYS_PTRACE', 'NET_ADMIN'],
        RestartPolicy: { Name: 'no' },
        LogConfig: { Type: 'none', Config: {} },
      },
    }),
  ).catch((error: unknown) => {
    // Two give a policy at once: one of them makes it.
    if (!hasCode(error, 'conflict')) throw error
  })
  if (made === undefined) return
  const { id } = made
  const folder = { name: 'network', mode: 0o700 }
  await put(client, id, beside.store, policy === undefined ? [folder] : [folder, { name: 'network/policy', mode: 0o600, content: policy }])
}

export async function hasNet(client: Client, name: string): Promise<boolean> {
  return (await lookNet(client, name)) !== undefined
}

async function lookNet(client: Client, name: string) {
  const found = await lookAt(client, netOf(name))
  return found && isOurs(found.Config.Labels, 'net') ? found : undefined
}

/** Resolves when the policy is in force. Its computer runs. */
export async function startNet(client: Client, context: Pick<ConnectContext, 'guest'>, meta: Meta, since: string): Promise<void> {
  const found = await lookNet(client, meta.name)
  if (found === undefined) return
  const current = found.Config.Entrypoint?.[0]?.startsWith(`${beside.kit}/${kitName(context.guest, meta.arch)}/`) === true
  // One that was started before its computer is in the namespaces of what that was.
  if (current && found.State.Running && found.State.StartedAt >= since) return
  if (!current) {
    await discard(client, found.Id)
    await makeNet(client, context, meta)
  } else if (found.State.Running) await client.call((docker) => docker.getContainer(found.Id).kill()).catch(() => undefined)
  await begin(client, meta.name)
}

async function begin(client: Client, name: string): Promise<void> {
  try {
    await client.call(async (docker) => {
      const container = docker.getContainer(netOf(name))
      const socket = await container.attach({ stream: true, hijack: true, stdout: true, stderr: true })
      // A hijacked stream is a socket: the types do not say so.
      const stream = socket as Socket
      const { stdout, stderr, ended } = part(stream, false)
      await container.start()
      try {
        const said = first(stdout)
        const failed = Promise.race([first(stderr), ended.then(() => '')]).then((text) => {
          throw explained(text)
        })
        failed.catch(() => undefined)
        await Promise.race([said.then((text) => (text.startsWith('ready') ? undefined : failed)), failed])
      } finally {
        stream.destroy()
      }
    })
  } catch (error) {
    const why = explain(error, client.found)
    throw fail(hasCode(why, 'tool_missing') ? 'tool_missing' : 'failed', `the network policy of ${name} cannot be put in force: ${why instanceof Error ? why.message : String(why)}`, { computer: name, cause: error })
  }
}

async function first(source: AsyncIterable<Uint8Array>): Promise<string> {
  for await (const chunk of source) return Buffer.from(chunk).toString()
  return ''
}

function explained(text: string): Error {
  const [word, , step = '', , why = ''] = text.trim().split('\t')
  if (word !== 'error') return fail('failed', text.trim() === '' ? 'its server ended without a word' : text.trim())
  return fail(step === 'tool' ? 'tool_missing' : 'failed', `${step}: ${why}`)
}
