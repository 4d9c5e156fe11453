import { mkdirSync, readdirSync, statSync, statfsSync } from 'node:fs'
import type { Computer, ComputerInfo, ConnectContext, CreateOptions, Health, Provider } from '../../../src/contract/index.ts'
import { checkName } from '../../shared/checks.ts'
import { boot } from './boot.ts'
import { shortfalls } from './capabilities.ts'
import { describe, LocalComputer } from './computer.ts'
import { build, checkOptions, taken } from './create.ts'
import { destroy } from './destroy.ts'
import { diskFull, hasCode, throwIfAborted } from './errors.ts'
import { type Layout, computersDir, layout } from './layout.ts'
import { missing } from './meta.ts'
import { networkDetails, networkShortfalls } from './network.ts'
import { probe, requireTier } from './tiers.ts'

/** With less than this nothing can be relied on. */
const LEAST = 4 * 1024 * 1024

/** Computers as directories below `dataDir` and namespaces on this machine. */
export class LocalProvider implements Provider {
  readonly #context: ConnectContext

  constructor(context: ConnectContext) {
    this.#context = context
    mkdirSync(computersDir(context.dataDir), { recursive: true, mode: 0o700 })
  }

  async create(options: CreateOptions): Promise<Computer> {
    const { dataDir } = this.#context
    checkOptions(options)
    throwIfAborted(options.signal)
    const place = layout(dataDir, options.name)
    try {
      await this.#make(place, options)
    } catch (error) {
      throw diskFull(error, dataDir)
    }
    return new LocalComputer(place, this.#context)
  }

  async #make(place: Layout, options: CreateOptions): Promise<void> {
    const { dataDir } = this.#context
    const tier = await requireTier(dataDir)
    if (exists(place.dir)) throw taken(options.name)
    const meta = await build(this.#context, tier, options)
    try {
      await boot(place, meta, this.#context, options.signal)
    } catch (error) {
      await destroy(dataDir, place)
      throw error
    }
  }

  async get(name: string): Promise<Computer> {
    checkName(name)
    const place = layout(this.#context.dataDir, name)
    if (!exists(place.dir)) throw missing(name)
    return new LocalComputer(place, this.#context)
  }

  async *list(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<ComputerInfo> {
    for (const name of names(computersDir(this.#context.dataDir))) {
      throwIfAborted(options.signal)
      const info = await describe(layout(this.#context.dataDir, name)).catch((error: unknown) => {
        if (hasCode(error, 'not_found')) return undefined
        throw error
      })
      if (info) yield info
    }
  }

  async health(): Promise<Health> {
    try {
      const { tier, problem } = await probe(this.#context.dataDir)
      const details = { tier, ...networkDetails() }
      if (problem !== undefined) return { ok: false, message: problem, hint: 'Use Docker instead: amux plugins install @amux/provider-docker', details }
      const left = room(this.#context.dataDir)
      if (left < LEAST) return { ok: false, message: `the disk that holds ${this.#context.dataDir} is full`, hint: 'Free some space there.', details }
      return { ok: true, message: tier === 'root' ? 'computers over this machine\'s system' : 'unprivileged computers', capabilities: { ...shortfalls({ tier }), ...networkShortfalls() }, details }
    } catch (error) {
      const hint = error instanceof Object && 'hint' in error && typeof error.hint === 'string' ? { hint: error.hint } : {}
      return { ok: false, message: error instanceof Error ? error.message : String(error), ...hint }
    }
  }
}

/** Bytes that may still be written. */
function room(dir: string): number {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => !name.startsWith('.'))
      .toSorted()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
