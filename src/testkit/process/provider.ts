import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Computer, ComputerInfo, ConnectContext, CreateOptions, Health, Provider } from '../../contract/index.ts'
import { fail, normalise } from '../../errors/index.ts'
import { ProcessComputer } from './computer.ts'
import { type ComputerRecord, recordFile } from './record.ts'

const NAME = /^[a-z][a-z0-9-]{0,54}$/

export class ProcessProvider implements Provider {
  readonly #root: string

  constructor({ dataDir }: ConnectContext) {
    // Short: a socket's path below it must not be longer than the system allows.
    this.#root = join(dataDir, 'c')
  }

  async create({ name, labels, project, env = {}, template, signal }: CreateOptions): Promise<Computer> {
    signal?.throwIfAborted()
    if (!NAME.test(name)) throw fail('invalid_argument', `${JSON.stringify(name)} is no name for a computer`)
    if (template !== undefined) throw fail('unsupported', 'there are no templates: every computer starts as an empty directory')
    await mkdir(this.#root, { recursive: true, mode: 0o700 })
    const directory = join(this.#root, name)
    const record: ComputerRecord = {
      name,
      labels,
      env,
      createdAt: new Date().toISOString(),
      running: true,
      ...(project !== undefined && { workspace: project.path }),
    }
    // Prepared under a name that cannot be a computer's, so that half a computer is never seen.
    const fresh = await mkdtemp(join(this.#root, '.new-'))
    await mkdir(join(fresh, 'home'), { mode: 0o700 })
    await writeFile(recordFile(fresh), JSON.stringify(record), { mode: 0o600 })
    await rename(fresh, directory).catch(async (error: unknown) => {
      await rm(fresh, { recursive: true, force: true })
      throw normalise(error).code === 'conflict' ? fail('already_exists', `there is a computer ${name} already`) : error
    })
    return new ProcessComputer(directory, name)
  }

  async get(name: string): Promise<Computer> {
    const computer = new ProcessComputer(join(this.#root, name), name)
    if (!NAME.test(name)) throw fail('not_found', `there is no computer ${JSON.stringify(name)}`)
    await computer.info()
    return computer
  }

  async *list({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterable<ComputerInfo> {
    for (const name of await this.#names()) {
      signal?.throwIfAborted()
      const info = await new ProcessComputer(join(this.#root, name), name).info().catch((error: unknown) => {
        // Deleted while the list is read.
        if (normalise(error).code === 'not_found') return undefined
        throw error
      })
      if (info !== undefined) yield info
    }
  }

  async health(): Promise<Health> {
    const linux = await readFile('/proc/version', 'utf8').then(() => true, () => false)
    return linux ? { ok: true, message: 'ready' } : { ok: false, message: 'it needs Linux: /proc is missing' }
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#root)).filter((name) => NAME.test(name)).toSorted()
    } catch (error) {
      if (normalise(error).code === 'not_found') return []
      throw error
    }
  }
}
