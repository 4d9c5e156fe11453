import type { ContainerInspectInfo } from 'dockerode'
import type { PublishedPort } from '../../../src/contract/index.ts'
import { fail } from './errors.ts'

type Ports = ContainerInspectInfo['NetworkSettings']['Ports']

/** As an engine is told of them. */
export function bindings(publish: readonly PublishedPort[]) {
  const ports: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { address, local, remote } of publish) (ports[`${remote}/tcp`] ??= []).push({ HostIp: address, HostPort: local === 0 ? '' : String(local) })
  const exposed = { ExposedPorts: Object.fromEntries(Object.keys(ports).map((port) => [port, {}])) }
  return publish.length === 0 ? {} : { exposed, bindings: { PortBindings: ports } }
}

/** With the ports that the engine chose. */
export function publishedBy(ports: Ports, wanted: readonly PublishedPort[]): PublishedPort[] {
  const taken = new Set(wanted.map(({ address, local }) => `${address} ${local}`))
  return wanted.map((one) => {
    if (one.local !== 0) return one
    const given = (ports[`${one.remote}/tcp`] ?? []).find(({ HostIp, HostPort }) => HostIp === one.address && !taken.has(`${HostIp} ${HostPort}`))
    if (given === undefined) return one
    taken.add(`${given.HostIp} ${given.HostPort}`)
    return { ...one, local: Number(given.HostPort) }
  })
}

/** Where it is that which keeps a container from starting. */
export function portTaken(computer: string, said: string, cause: unknown): Error | undefined {
  if (!/port is already allocated|address already in use|ports are not available/.test(said)) return undefined
  const [, where = 'a port it publishes'] = /(?:Bind for |listen tcp[46]? |exposing port TCP )(\S+:\d+)/.exec(said) ?? []
  return fail('conflict', `${where} is taken on the engine's machine, and ${computer} publishes a port there`, { computer, hint: 'Free it, or publish at another: amux computer create -p LOCAL:REMOTE', cause })
}
