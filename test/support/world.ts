/**
 * A world of network namespaces, for tests of what a computer may talk to: `outside` with name servers and hosts of its
 * own, `host` for amux, and `computer`, joined to it by a cable or by slirp4netns. Needs root. Several may exist at once;
 * what a test run that was killed left behind, the next one clears away.
 */
import { type ChildProcess, execFileSync, spawn, type SpawnOptions, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answered } from './world-asking.ts'
import type { Question } from './world-inside.ts'
import type { Zones } from './world-zones.ts'

export const asRoot = process.geteuid?.() === 0
export const NEEDS_ROOT = 'NOT TESTED: a world of network namespaces needs root; run the tests as root'

/** Name servers; one that nobody should reach from inside; hosts that serve; the host's own and the computer's addresses. */
export const at = {
  server: '198.51.100.2',
  server6: '2001:db8:1::2',
  second: '198.51.100.3',
  decoy: '198.51.100.53',
  decoy6: '2001:db8:1::53',
  good: '198.51.100.10',
  evil: '198.51.100.20',
  third: '198.51.100.30',
  good6: '2001:db8:1::10',
  evil6: '2001:db8:1::20',
  host: '198.51.100.1',
  host6: '2001:db8:1::1',
  gateway: '192.0.2.1',
  gateway6: '2001:db8:2::1',
  computer: '192.0.2.2',
  computer6: '2001:db8:2::2',
} as const

const OUTSIDE = [at.server, at.second, at.decoy, at.good, at.evil, at.third]
const OUTSIDE6 = [at.server6, at.decoy6, at.good6, at.evil6]
/** With the process that made it, as seen from here. */
const PREFIX = `amuxw-${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''}`

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A whole run of a program, wherever. */
export function run([program = '', ...rest]: readonly string[], input = ''): Promise<Ran> {
  const child = spawn(program, rest, { stdio: 'pipe' })
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk: Buffer) => (text[stream] += chunk.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, ...text }))
  })
}

/** A program of ours in a namespace, that answers what it is told. */
export class Agent {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (value: unknown) => void>()
  #last = 0
  constructor(child: ChildProcess) {
    this.#child = child
    child.setMaxListeners(0)
    child.on('message', ({ id, value }: { id: number; value: unknown }) => this.#waiting.get(id)?.(value))
  }
  get pid(): number {
    return this.#child.pid ?? 0
  }
  tell<T>(message: object): Promise<T> {
    const id = ++this.#last
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, (value) => resolve(value as T))
      this.#child.once('exit', () => reject(new Error('the program in the namespace ended')))
      this.#child.send({ id, ...message })
    })
  }
  act<T>(act: string, told: object = {}): Promise<T> {
    return this.tell<T>({ act, told })
  }
  ask(name: string, question: Omit<Question, 'name'> = {}): Promise<Answered> {
    return this.act('ask', { name, ...question })
  }
  reach(host: string, port = 7): Promise<string> {
    return this.act('reach', { host, port })
  }
  hold(host: string, port = 7): Promise<{ readonly result: string; readonly id: number }> {
    return this.act('hold', { host, port })
  }
  state(id: number): Promise<{ readonly bytes: number; readonly ended?: string }> {
    return this.act('state', { id })
  }
  end(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}

/** Many at once: each `ip` by itself takes longer than what it does. */
function ip(pid: number, ...lines: readonly string[]): void {
  execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', '-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] })
}

/** A namespace that lives for as long as its process, which ends with this one; no second of waiting until an address may be used. */
async function hold(): Promise<ChildProcess> {
  const prepare = 'sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 && ip link set lo up && echo ready && exec cat'
  const child = spawn('unshare', ['--net', 'sh', '-c', prepare], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve())
    child.once('exit', () => reject(new Error('no network namespace')))
  })
  return child
}

function sweep(): void {
  for (const name of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
    const owner = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1]
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) remove(name)
  }
}

function remove(name: string): void {
  for (const pid of spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)) spawnSync('kill', ['-9', pid])
  spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
  rmSync(join('/etc/netns', name), { recursive: true, force: true })
}

export class World {
  readonly outside: string
  readonly host: string
  readonly computer: string
  readonly #agents: Agent[] = []
  #outside: Agent | undefined
  #zones: Zones = {}
  /** A process of each: a name in /run/netns is a mount, which others may take away. */
  readonly #pids = new Map<string, number>()
  readonly #children: ChildProcess[] = []
  readonly #exit = (): void => this.end()

  private constructor() {
    const name = `${PREFIX}-${process.pid}-${randomBytes(3).toString('hex')}`
    this.outside = `${name}-o`
    this.host = `${name}-h`
    this.computer = `${name}-c`
  }

  /** `join`: `none` leaves the computer's namespace out, for tests that make computers of their own. */
  static async make(join_: 'cable' | 'slirp' | 'none' = 'cable'): Promise<World> {
    sweep()
    const world = new World()
    process.once('exit', world.#exit)
    for (const name of [world.outside, world.host, ...(join_ === 'none' ? [] : [world.computer])]) {
      const child = await hold()
      world.#children.push(child)
      world.#name(name, child.pid ?? 0)
    }
    world.#lay()
    if (join_ === 'cable') world.#cable()
    if (join_ === 'slirp') await world.#slirp()
    world.#outside = world.agent(world.outside, 'world-outside.ts')
    await world.#outside.tell({ start: { servers: [at.server, at.second, at.server6], decoys: [at.decoy, at.decoy6], hosts: [at.good, at.evil, at.third, at.good6, at.evil6] } })
    return world
  }

  #name(name: string, pid: number): void {
    this.#pids.set(name, pid)
    execFileSync('ip', ['netns', 'attach', name, String(pid)])
  }

  #pid(name: string): number {
    const pid = this.#pids.get(name)
    if (pid === undefined) throw new Error(`the world has no ${name}`)
    return pid
  }

  #lay(): void {
    const [outside, host] = [this.#pid(this.outside), this.#pid(this.host)]
    ip(host, `link add out type veth peer name host netns ${outside}`, `addr add ${at.host}/24 dev out`, `addr add ${at.host6}/64 dev out nodad`, 'link set out up')
    ip(outside, ...OUTSIDE.map((address) => `addr add ${address}/24 dev host`), ...OUTSIDE6.map((address) => `addr add ${address}/64 dev host nodad`), 'link set host up')
    ip(outside, `route add default via ${at.host}`, `route add default via ${at.host6}`)
    execFileSync('nsenter', [`--net=/proc/${host}/ns/net`, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'])
    mkdirSync(join('/etc/netns', this.host), { recursive: true })
    this.resolvers([at.server])
  }

  /** Joins the computer to the host by a pair of interfaces and forwarding. */
  #cable(): void {
    const [host, computer] = [this.#pid(this.host), this.#pid(this.computer)]
    ip(host, `link add down0 type veth peer name eth0 netns ${computer}`, `addr add ${at.gateway}/24 dev down0`, `addr add ${at.gateway6}/64 dev down0 nodad`, 'link set down0 up')
    ip(computer, `addr add ${at.computer}/24 dev eth0`, `addr add ${at.computer6}/64 dev eth0 nodad`, 'link set eth0 up')
    ip(computer, `route add default via ${at.gateway}`, `route add default via ${at.gateway6}`)
  }

  /** Takes the network of a process, which made it itself, as the computer's. */
  adopt(pid: number): void {
    this.#name(this.computer, pid)
    ip(pid, 'link set lo up')
    this.#cable()
  }

  async #slirp(): Promise<void> {
    const args = ['--configure', '--mtu=65520', '--disable-host-loopback', '--enable-ipv6', '--ready-fd=3', String(this.#pid(this.computer)), 'tap0']
    const child = this.spawn(this.host, ['slirp4netns', ...args], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
    await new Promise<void>((resolve, reject) => {
      child.stdio[3]?.once('data', () => resolve())
      child.once('exit', () => reject(new Error('slirp4netns ended')))
    })
  }

  /** What amux on the host finds in /etc/resolv.conf, also in what runs already. */
  resolvers(servers: readonly string[]): void {
    writeFileSync(this.resolvFile, servers.map((server) => `nameserver ${server}\n`).join(''))
  }

  get resolvFile(): string {
    return join('/etc/netns', this.host, 'resolv.conf')
  }

  async zones(zones: Zones): Promise<void> {
    this.#zones = zones
    await this.#outside?.tell({ zones })
  }

  /** Changes some, keeps the others. */
  async add(zones: Zones): Promise<void> {
    await this.zones({ ...this.#zones, ...zones })
  }

  /** How often each name was asked for out there; how often a server that is no resolver of this host was asked. */
  async asked(): Promise<{ readonly asked: Readonly<Record<string, number>>; readonly decoyed: number }> {
    return (await this.#outside?.tell({})) ?? { asked: {}, decoyed: 0 }
  }

  /** What to put before a program: as `ip netns exec`, on the host with a resolv.conf of its own. */
  enter(name: string): string[] {
    const enter = ['nsenter', `--net=/proc/${this.#pid(name)}/ns/net`, '--']
    if (name !== this.host) return enter
    return [...enter, 'unshare', '--mount', '--propagation', 'slave', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', this.resolvFile]
  }

  spawn(name: string, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = '', ...rest] = [...this.enter(name), ...argv]
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    this.#children.push(child)
    return child
  }

  run(name: string, argv: readonly string[], input = ''): Promise<Ran> {
    return run([...this.enter(name), ...argv], input)
  }

  agent(name: string, file = 'world-inside.ts', wrap: readonly string[] = []): Agent {
    const argv = [...wrap, process.execPath, join(import.meta.dirname, file)]
    const agent = new Agent(this.spawn(name, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    this.#agents.push(agent)
    return agent
  }

  end(): void {
    process.removeListener('exit', this.#exit)
    for (const agent of this.#agents) agent.end()
    for (const child of this.#children) child.kill('SIGKILL')
    for (const name of [this.computer, this.host, this.outside]) remove(name)
  }
}
