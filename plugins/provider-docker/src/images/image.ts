import type { ImageInspectInfo } from 'dockerode'
import type { Client } from '../client.ts'
import { follow, type ProgressEvent } from '../engine/progress.ts'
import { fail, given, hasCode } from '../errors.ts'
import { DEFAULT_IMAGE, LABEL } from '../names.ts'

export interface Image {
  readonly id: string
  readonly name: string
  /** `x64`, `arm64`. */
  readonly arch: string
  readonly env: Readonly<Record<string, string>>
}

/** As engines name them, and as Node does. */
export const architectures: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' }

/** What a new computer starts from; pulled where it is not there. */
export async function chooseImage(client: Client, wanted: string | undefined, progress: (message: string) => void, signal: AbortSignal | undefined): Promise<Image> {
  const name = wanted ?? DEFAULT_IMAGE
  const found = (await inspectImage(client, name)) ?? (await pulled(client, name, wanted === undefined, progress, signal))
  if (found.Os !== 'linux') throw fail('unsupported', `${name} is no image of a Linux system`, { source: 'amux' })
  const arch = architectures[found.Architecture]
  if (arch === undefined) throw fail('unsupported', `${name} is for machines of architecture ${found.Architecture}`, { hint: 'Computers are x64 or arm64.', source: 'amux' })
  return { id: found.Id, name, arch, env: environmentOf(found) }
}

/** Undefined where the engine has none of that name. */
export async function inspectImage(client: Client, name: string): Promise<ImageInspectInfo | undefined> {
  try {
    return await client.call((docker) => docker.getImage(name).inspect())
  } catch (error) {
    if (hasCode(error, 'not_found')) return undefined
    if (hasCode(error, 'invalid_argument')) throw fail('invalid_argument', `${JSON.stringify(name)} is no name of an image`, { source: 'amux', cause: error })
    throw error
  }
}

export function environmentOf(image: Pick<ImageInspectInfo, 'Config'>): Record<string, string> {
  // An image that was imported has no configuration to speak of.
  const list: readonly string[] = image.Config?.Env ?? []
  return Object.fromEntries(list.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

/** An image whose programs may work beside a computer: one that says it has nftables. */
export async function helperImage(client: Client, own: string): Promise<string | undefined> {
  for (const name of [own, DEFAULT_IMAGE]) {
    const found = await inspectImage(client, name)
    if (found?.Config?.Labels?.[LABEL.tools] !== undefined) return found.Id
  }
  return undefined
}

/** The same; without one nothing is begun. */
export async function needHelperImage(client: Client, own: string): Promise<string> {
  const image = await helperImage(client, own)
  if (image !== undefined) return image
  throw fail('tool_missing', 'nothing on this engine can filter the network of its computers', { hint: 'Build the template that can, once: amux computer template build' })
}

async function pulled(client: Client, name: string, byDefault: boolean, progress: (message: string) => void, signal: AbortSignal | undefined): Promise<ImageInspectInfo> {
  if (byDefault) {
    throw fail('tool_missing', `this engine has no ${DEFAULT_IMAGE}, which computers start from`, { hint: 'Build it once: amux computer template build. Or start from another image: -o image=debian:12', source: 'amux' })
  }
  progress(`Pulling ${name}`)
  try {
    const docker = await client.docker()
    // Without a tag the engine would pull all there are.
    const full = /[:@][^/]*$/.test(name) ? name : `${name}:latest`
    const stream = (await client.call(() => docker.pull(full, signal ? { abortSignal: signal } : {}), signal)) as NodeJS.ReadableStream
    await client.call(() => follow(docker, stream, pullTeller(progress), signal), signal)
  } catch (error) {
    if (signal?.aborted) throw given(signal)
    const { message } = error as Error
    const unreachable = /dial tcp|lookup |no such host|connection refused|i\/o timeout|TLS handshake|Client\.Timeout/i.test(message)
    if (unreachable) throw fail('unavailable', `${name} is not on the engine, and its registry cannot be reached: ${message}`, { hint: 'Load it from a file: docker load. See what is there: docker images', cause: error })
    if (/not found|denied|does not exist|manifest unknown/i.test(message)) throw fail('not_found', `there is no image ${name}: ${message}`, { hint: 'For a private one: docker pull it first, after docker login.', cause: error })
    throw error
  }
  const found = await inspectImage(client, name)
  if (found) return found
  throw fail('failed', `${name} was pulled, and is not there`)
}

/** How much of all its layers is there, twice a second. */
function pullTeller(progress: (message: string) => void): (event: ProgressEvent) => void {
  const layers = new Map<string, { readonly current: number; readonly total: number }>()
  let last = 0
  return ({ id, progressDetail: { current, total } = {} }) => {
    if (id === undefined || current === undefined || total === undefined) return
    layers.set(id, { current, total })
    if (performance.now() - last < 500) return
    last = performance.now()
    const sum = (key: 'current' | 'total') => [...layers.values()].reduce((all, one) => all + one[key], 0)
    progress(`Pulling: ${Math.round(sum('current') / 1e6)} of ${Math.round(sum('total') / 1e6)} MB`)
  }
}
