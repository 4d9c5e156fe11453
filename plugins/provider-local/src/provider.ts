import { mkdirSync, readdirSync, statSync } from 'node:fs'
import type { Computer, ComputerInfo, ConnectContext, CreateOptions, Health, Provider } from '../../../src/contract/index.ts'
import { boot } from './boot.ts'
import { shortfalls } from './capabilities.ts'
import { describe, LocalComputer } from './computer.ts'
import { build, checkOptions, taken } from './create.ts'
import { destroy } from './destroy.ts'
import { hasCode, throwIfAborted } from './errors.ts'
import { checkName, computersDir, layout } from './layout.ts'
import { missing } from './meta.ts'
import { probe, requireTier } from './tiers.ts'

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
    const tier = await requireTier(dataDir)
    const place = layout(dataDir, options.name)
    if (exists(place.dir)) throw taken(options.name)
    const meta = await build(dataDir, tier, options)
    try {
      await boot(place, meta, this.#context, options.signal)
    } catch (error) {
      await destroy(dataDir, place)
      throw error
    }
    return new LocalComputer(place, this.#context)
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
      const details = { tier }
      if (problem !== undefined) return { ok: false, message: problem, hint: 'Use Docker instead: amux plugins install @amux/provider-docker', details }
      return { ok: true, message: tier === 'root' ? 'computers over this machine\'s system' : 'unprivileged computers', capabilities: shortfalls({ tier }), details }
    } catch (error) {
      const hint = error instanceof Object && 'hint' in error && typeof error.hint === 'string' ? { hint: error.hint } : {}
      return { ok: false, message: error instanceof Error ? error.message : String(error), ...hint }
    }
  }
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
