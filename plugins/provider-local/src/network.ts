import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CreateOptions, DeclaredCapabilities } from '../../../src/contract/index.ts'
import { fail, hasCode } from './errors.ts'
import type { Layout } from './layout.ts'
import type { Meta, OwnNetwork } from './meta.ts'
import type { Plan } from './plan.ts'

/** The name server that slirp4netns is to a computer. */
const RESOLVER = '10.0.2.3'
const PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const MOST_PORTS = 64
const TUN = '/dev/net/tun'

/** Whole path of a program of this machine's. */
export function findProgram(name: string): string | undefined {
  const path = (process.env['PATH'] ?? '').split(':').filter((dir) => dir.startsWith('/'))
  return [...path, ...PLACES].map((dir) => join(dir, name)).find((file) => allows(file, constants.X_OK))
}

interface Lack {
  /** `slirp4netns is not on this machine` */
  readonly what: string
  readonly remedy: string
}

/** Why no computer can have a way out of a network of its own. */
function noWayOut(): Lack | undefined {
  if (findProgram('slirp4netns') === undefined) return { what: 'slirp4netns is not on this machine', remedy: 'apt-get install slirp4netns' }
  if (!existsSync(TUN)) return { what: `${TUN} is not on this machine`, remedy: 'modprobe tun' }
  if (!allows(TUN, constants.R_OK | constants.W_OK)) return { what: `${TUN} is not open to you`, remedy: `as root: chmod 666 ${TUN}` }
  return undefined
}

function noFilter(): Lack | undefined {
  return findProgram('nft') === undefined ? { what: 'nftables is not on this machine', remedy: 'apt-get install nftables' } : undefined
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** What a new computer gets. Absent: this machine's own network, for want of a way out of another. */
export function chooseNetwork({ network = {} }: Pick<CreateOptions, 'network'>): OwnNetwork | undefined {
  const { access = 'open', hostPorts = [], policy } = network
  for (const port of hostPorts) {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw fail('invalid_argument', `${port} is no port`, { source: 'amux' })
  }
  if (hostPorts.length > MOST_PORTS) throw fail('invalid_argument', `a local computer has at most ${MOST_PORTS} ports of this machine`, { source: 'amux' })
  const ruled = (policy?.rules.length ?? 0) > 0
  if (ruled) need('a network policy', noFilter())
  if (access === 'open' && noWayOut() !== undefined) {
    if (ruled) need('a network policy', noWayOut())
    return undefined
  }
  return { access, ...(hostPorts.length > 0 && { hostPorts: [...new Set(hostPorts)] }) }
}

function need(what: string, lack: Lack | undefined): void {
  if (lack) throw fail('tool_missing', `${what} cannot be had: ${lack.what}`, { hint: `Do this first: ${lack.remedy}` })
}

/** Rather none than one without the fence it was given. */
export function requireNetwork(place: Layout, { network, name }: Meta): void {
  if (network === undefined) return
  if (network.access === 'open') need(`the network of ${name}`, noWayOut())
  if (isRuled(place)) need(`the network policy of ${name}`, noFilter())
}

export function policyFile(place: Layout): string {
  return join(place.store, 'network', 'policy')
}

function isRuled(place: Layout): boolean {
  try {
    return /^(allow|deny) /m.test(readFileSync(policyFile(place), 'utf8'))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/** Programs of this machine's that are there before anything of the computer runs, and end with it. */
export function attendants(plan: Plan, place: Layout, { network, tier }: Meta): void {
  if (network === undefined) return
  plan.step('net')
  const ports = (network.hostPorts ?? []).flatMap((port) => ['--host-port', port])
  plan.step('attend', 'amux-net', join(place.kit, 'amux-net'), 'serve', join(place.store, 'network'), '--netns-of', '%PID%', '--ready-fd', 3, '--exit-fd', 4, ...ports)
  if (network.access === 'none') return
  // Its sandbox needs root.
  const options = ['--configure', '--mtu=65520', '--disable-host-loopback', '--enable-seccomp', ...(tier === 'root' ? ['--enable-sandbox'] : []), ...(hasIpv6() ? ['--enable-ipv6'] : [])]
  plan.step('attend', 'slirp4netns', findProgram('slirp4netns') ?? 'slirp4netns', ...options, '--ready-fd=3', '--exit-fd=4', '%PID%', 'tap0')
}

/** A global address: without one the computer would only wait for answers that never come. */
function hasIpv6(): boolean {
  try {
    return readFileSync('/proc/net/if_inet6', 'utf8')
      .split('\n')
      .some((line) => / 00 [0-9a-f]{2} +(?!lo$)\S+$/.test(line))
  } catch {
    return false
  }
}

/** This machine's name servers are not in reach of a network of one's own: one that asks them is. */
export function resolvConf({ network }: Pick<Meta, 'network'>): string {
  const own = read('/etc/resolv.conf')
  if (network === undefined) return own
  const rest = own.split('\n').filter((line) => /^(search|domain|options)\s/.test(line))
  return network.access === 'none' ? '# no network\n' : [`nameserver ${RESOLVER}`, ...rest, ''].join('\n')
}

/** For a tier whose /etc is this machine's. */
export function resolverFile(place: Layout): string {
  return join(place.disk, 'etc', 'resolv.conf')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** For `amux provider info` and `amux doctor`. */
export function networkDetails(): Record<string, string> {
  return { network: lackOf(noWayOut(), 'own, by slirp4netns', "this machine's: "), 'network policy': lackOf(noFilter(), `by ${findProgram('nft')}`, 'none: ') }
}

function lackOf(lack: Lack | undefined, otherwise: string, prefix: string): string {
  return lack === undefined ? otherwise : `${prefix}${lack.what}`
}

export function networkName({ network }: Pick<Meta, 'network'>): string {
  if (network === undefined) return "this machine's"
  return network.access === 'none' ? 'none' : 'own'
}

/** What the network of this computer falls short of; without a record: of one that is made now. */
export function networkShortfalls(meta?: Pick<Meta, 'network'>): DeclaredCapabilities {
  const lack = noWayOut()
  const own = meta ? meta.network !== undefined : lack === undefined
  const filter = noFilter()
  if (own) return filter ? { network: { fidelity: 'unavailable', note: filter.what, workaround: filter.remedy } } : {}
  const note = lack?.what ?? 'it was made when computers had none of their own'
  const workaround = `${lack ? `${lack.remedy}, then` : ''} make a new computer: amux computer rm, amux computer create`.trim()
  return {
    isolation: { fidelity: 'native', note: `processes, files and devices are apart; the network is this machine's own: ${note}`, workaround },
    network: { fidelity: 'unavailable', note: `the network is this machine's own: ${note}`, workaround },
  }
}
