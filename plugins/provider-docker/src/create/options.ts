import type { CreateOptions } from '../../../../src/contract/index.ts'
import { fail } from '../errors.ts'
import { checkEnvironment, checkName } from '../../../shared/checks.ts'

export interface Limits {
  readonly cpus?: number
  /** Bytes. */
  readonly memory?: number
}

const MOST_PORTS = 64
/** Below, no guest gets up. */
const LEAST_MEMORY = 128 * 1024 * 1024
const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** What cannot be had is refused before anything is made. */
export function checkOptions({ name, options = {}, env, network = {}, publish = [] }: CreateOptions): Limits {
  checkContainerName(name)
  for (const option of Object.keys(options)) if (!['image', 'cpus', 'memory'].includes(option)) throw invalid(`provider docker has no option "${option}"`)
  checkEnvironment(env)
  const { hostPorts = [] } = network
  for (const port of [...hostPorts, ...publish.flatMap(({ local, remote }) => [...(local === 0 ? [] : [local]), remote])]) if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid(`${port} is no port`)
  if (publish.length > 0 && network.access === 'none') throw invalid('a computer without a network publishes no ports')
  if (hostPorts.length > MOST_PORTS) throw invalid(`a computer has at most ${MOST_PORTS} ports of this machine`)
  const cpus = options['cpus']
  if (cpus !== undefined && !(typeof cpus === 'number' && cpus >= 0.01)) throw invalid('--cpus takes a number of at least 0.01, such as 1.5')
  const memory = options['memory'] === undefined ? undefined : bytesOf(String(options['memory']))
  return { ...(typeof cpus === 'number' && { cpus }), ...(memory !== undefined && { memory }) }
}

export function checkContainerName(name: string): void {
  checkName(name)
  if (name.length < 2) throw invalid(`${name} cannot be the name of a Docker container: that has at least two letters`)
}

export function wantedImage({ template, options = {} }: CreateOptions): string | undefined {
  const image = options['image']
  if (image !== undefined && (typeof image !== 'string' || image === '')) throw invalid('-o image takes the name of an image')
  if (template !== undefined && image !== undefined && template !== image) throw invalid(`it cannot start from both ${template} and ${image}`)
  return image ?? template
}

function bytesOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([bkmgt]?)b?$/i.exec(text) ?? []
  const value = Number(number) * (units[unit.toLowerCase()] ?? Number.NaN)
  if (Number.isFinite(value) && value >= LEAST_MEMORY) return Math.round(value)
  throw invalid(`--memory takes a size of at least 128m, such as 4g, not ${JSON.stringify(text)}`)
}

function invalid(message: string): Error {
  return fail('invalid_argument', message, { source: 'amux' })
}
