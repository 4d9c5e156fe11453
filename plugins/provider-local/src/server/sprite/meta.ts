import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ComputerInfo } from '../../../../../src/contract/index.ts'
import { writeWhole } from '../../meta.ts'
import { serverDir } from '../process/single.ts'

/** What a sprite has and a local computer has not. */
export interface SpriteMeta {
  readonly id: string
  /** Of the computer it belongs to: one that was made anew under the same name is another. */
  readonly createdAt: string
  readonly updatedAt: string
  readonly labels: readonly string[]
  readonly urlAuth: string
  /** Names of the variables given at creation: their values are nobody's business. */
  readonly variables: readonly string[]
}

/** One file for each, 0600. A computer without one is a sprite all the same. */
export class MetaStore {
  readonly #directory: string

  constructor(dataDir: string) {
    this.#directory = join(serverDir(dataDir), 'sprites')
  }

  async read(info: ComputerInfo): Promise<SpriteMeta> {
    try {
      const value = JSON.parse(await readFile(this.#path(info.name), 'utf8')) as SpriteMeta
      if (value.createdAt === info.createdAt && typeof value.id === 'string' && Array.isArray(value.labels)) return value
    } catch {
      return derived(info)
    }
    return derived(info)
  }

  async write(name: string, meta: SpriteMeta): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    await writeWhole(this.#path(name), `${JSON.stringify(meta)}\n`)
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true })
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.json`)
  }
}

export function newId(): string {
  return `sprite-${randomUUID()}`
}

/** The same at every look. */
function derived({ name, createdAt, labels }: ComputerInfo): SpriteMeta {
  const hash = createHash('sha256').update(`${name}\n${createdAt}`).digest('hex')
  const uuid = [hash.slice(0, 8), hash.slice(8, 12), `4${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`, hash.slice(20, 32)].join('-')
  return { id: `sprite-${uuid}`, createdAt, updatedAt: createdAt, labels: Object.entries(labels).map(([key, value]) => `${key}=${value}`), urlAuth: 'sprite', variables: [] }
}
