import type Docker from 'dockerode'
import { Agent } from 'node:http'
import { explain } from './engine/explain.ts'
import { findEngine, type Found } from './engine/find.ts'
import { unlessSilent } from './engine/silence.ts'
import { fail } from './errors.ts'

/** The oldest engine with everything that is used: 19.03. */
const OLDEST_API = [1, 40] as const

export type Ids = 'own' | 'rootless' | 'mapped'

/** From what an engine says of its security. */
export function idsOf(options: readonly string[]): Ids {
  if (options.includes('name=userns')) return 'mapped'
  return options.includes('name=rootless') ? 'rootless' : 'own'
}

/** One engine. Connects when first asked something; every failure comes back in amux's words. */
export class Client {
  readonly found: Found
  #docker: Promise<Docker> | undefined
  #labels: Promise<boolean> | undefined
  /** It answered once: whatever is there no more was there. */
  #answered = false

  /** By what the user has set for it; without, as the docker command does. */
  constructor({ host, context }: Readonly<Record<string, string>> = {}) {
    this.found = findEngine(host, context)
  }

  /** Whether it runs on this machine. */
  get here(): boolean {
    return this.found.place.kind === 'unix' && process.platform === 'linux'
  }

  /**
   * Whose ids its containers' users have outside: their own; those of an engine without privileges, where root is whoever
   * runs that; others altogether.
   */
  async ids(): Promise<Ids> {
    const { SecurityOptions: options = [] } = (await this.call((docker) => docker.info())) as { readonly SecurityOptions?: readonly string[] }
    return idsOf(options)
  }

  /** The library as it is, for what `call` does not fit. */
  docker(): Promise<Docker> {
    return (this.#docker ??= this.#load())
  }

  async call<T>(what: (docker: Docker) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      const docker = await this.docker()
      // Who gets there by ssh may be asked for a password first.
      const patient = this.#answered || this.found.place.kind === 'ssh'
      const result = await (patient ? what(docker) : unlessSilent(what(docker), () => docker.ping()))
      this.#answered = true
      return result
    } catch (error) {
      throw explain(error, { ...this.found, answered: this.#answered }, signal)
    }
  }

  /** Says what it is; refuses one that is too old. */
  async version(): Promise<{ readonly Version: string; readonly ApiVersion: string; readonly Arch: string; readonly Os: string; readonly product: string }> {
    const found = await this.call((docker) => docker.version())
    const { Components: parts } = found as { readonly Components?: readonly { readonly Name: string }[] }
    if (typeof found?.ApiVersion !== 'string') throw fail('unavailable', `what answers at ${this.found.address} is no Docker engine`, { hint: 'See where the docker command looks: docker context ls' })
    const version = { ...found, product: parts?.some(({ Name }) => Name === 'Podman Engine') ? 'Podman' : 'Docker Engine' }
    const [major = 0, minor = 0] = version.ApiVersion.split('.').map(Number)
    if (major > OLDEST_API[0] || (major === OLDEST_API[0] && minor >= OLDEST_API[1])) return version
    throw fail('unsupported', `the Docker engine ${version.Version} at ${this.found.address} is too old`, { hint: 'amux needs Docker 19.03 or newer.' })
  }

  /** Whether volumes that it makes along with a container get the labels that were said for them: Podman forgets these. */
  labelsVolumes(): Promise<boolean> {
    return (this.#labels ??= this.version().then(({ product }) => product !== 'Podman'))
  }

  async #load(): Promise<Docker> {
    const { default: Library } = await import('dockerode')
    // What is not said here the library would take from the environment, by rules of its own.
    const nothing = { host: undefined, port: undefined, socketPath: undefined, protocol: 'http' as const, ca: undefined, cert: undefined, key: undefined, timeout: undefined }
    const { place } = this.found
    // Its types do not allow to say "nothing", which is what keeps the environment's out.
    const make = (options: object) => withoutHost(() => new Library({ ...nothing, ...options } as Docker.DockerOptions))
    // A connection that was kept is a dead one after the engine was started anew; on a socket a fresh one costs nothing.
    if (place.kind === 'unix') return make({ socketPath: place.path, agent: new Agent({ keepAlive: false }) })
    if (place.kind === 'ssh') {
      const { SshAgent } = await import('./engine/ssh.ts')
      return make({ host: 'http://docker', agent: new SshAgent(place) })
    }
    const { host, port, tls } = place
    if (tls === undefined) return make({ host, port })
    const { Agent: SecureAgent } = await import('node:https')
    return make({ host, port, protocol: 'https', ca: tls.ca, cert: tls.cert, key: tls.key, agent: new SecureAgent({ keepAlive: true, rejectUnauthorized: tls.verify, ca: tls.ca, cert: tls.cert, key: tls.key }) })
  }
}

/** With DOCKER_HOST the library would read certificates that need not be there, and fail. */
function withoutHost<T>(make: () => T): T {
  const { DOCKER_HOST: host } = process.env
  delete process.env['DOCKER_HOST']
  try {
    return make()
  } finally {
    if (host !== undefined) process.env['DOCKER_HOST'] = host
  }
}
