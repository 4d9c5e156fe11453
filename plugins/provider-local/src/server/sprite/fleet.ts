import type { ComputerInfo, EquippedComputer, EquippedProvider } from '../../../../../src/contract/index.ts'
import { codeOf, refuse } from '../http/errors.ts'
import type { Inner } from './management.ts'
import { MetaStore, type SpriteMeta } from './meta.ts'
import { Served } from './served.ts'

export interface NewSprite {
  readonly name: string
  readonly labels: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly urlAuth: string
  readonly id: string
}

/** All sprites of a server. */
export class Fleet {
  readonly store: MetaStore
  /** Where a sprite answers HTTP from outside; known once the server listens. */
  urlOf: (name: string) => string = (name) => `http://${name}.localhost/`
  /** Answers the sprites' own programs. */
  inner: Inner = (_served, _request, response) => void response.writeHead(503).end()
  readonly #provider: EquippedProvider
  readonly #served = new Map<string, Promise<Served>>()

  constructor(provider: EquippedProvider, dataDir: string) {
    this.#provider = provider
    this.store = new MetaStore(dataDir)
  }

  /** 404 when there is none. One that was deleted behind the server's back is forgotten, made anew or not. */
  async get(name: string): Promise<Served> {
    const served = await this.#known(name)
    try {
      const { createdAt } = await served.info()
      served.createdAt ??= createdAt
      if (served.createdAt === createdAt) return served
    } catch (error) {
      if (codeOf(error) !== 'not_found') throw error
      await this.#forget(name)
      throw missing(name)
    }
    await this.#forget(name)
    return this.get(name)
  }

  async create({ name, labels, env, urlAuth, id }: NewSprite): Promise<Served> {
    const variables = Object.keys(env)
    const computer = await this.#provider.create({ name, labels: { 'amux.server': 'sprites' }, ...(variables.length > 0 && { env }) })
    const served = this.#serve(computer)
    this.#served.set(name, Promise.resolve(served))
    const { createdAt } = await served.info()
    await this.store.write(name, { id, createdAt, updatedAt: createdAt, labels, urlAuth, variables })
    return served
  }

  async delete(served: Served): Promise<void> {
    await served.executions.close()
    await served.computer.delete()
    await this.#forget(served.name)
    await this.store.remove(served.name)
  }

  /** By name. */
  async list(prefix: string): Promise<readonly { readonly info: ComputerInfo; readonly meta: SpriteMeta }[]> {
    const found: ComputerInfo[] = []
    for await (const info of this.#provider.list()) if (info.name.startsWith(prefix)) found.push(info)
    found.sort((a, b) => (a.name < b.name ? -1 : 1))
    return Promise.all(found.map(async (info) => ({ info, meta: await this.store.read(info) })))
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#served.keys()].map((name) => this.#forget(name)))
  }

  #serve(computer: EquippedComputer): Served {
    return new Served(computer, this.store, (served, request, response) => this.inner(served, request, response))
  }

  #known(name: string): Promise<Served> {
    const there = this.#served.get(name)
    if (there) return there
    const found = this.#find(name)
    this.#served.set(name, found)
    found.catch(() => this.#served.delete(name))
    return found
  }

  async #find(name: string): Promise<Served> {
    try {
      return this.#serve(await this.#provider.get(name))
    } catch (error) {
      // A name that none can have has no sprite either.
      throw ['not_found', 'invalid_argument'].includes(codeOf(error) ?? '') ? missing(name) : error
    }
  }

  async #forget(name: string): Promise<void> {
    const served = this.#served.get(name)
    this.#served.delete(name)
    await (await served)?.close()
  }
}

function missing(name: string) {
  return refuse(404, 'not_found', `sprite not found: ${name}`)
}
