import type { ByteSource, CheckpointChange, CheckpointInfo, Checkpoints, CreateCheckpointOptions, ExportOptions, ImportOptions, RestoreOptions, RestoreResult } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { runTool, Tool, type ToolOptions } from '../aside/index.ts'
import { make } from './create.ts'
import { checkId, explain, missing } from './explain.ts'
import { metaText, parse, type Point } from './info.ts'
import { type Part, partTrees } from './parts.ts'
import { points } from './points.ts'
import { outdated } from './prune.ts'
import { recover } from './recover.ts'
import { restore, startedLater } from './restore.ts'
import { ENGINE, requestText, STORE, treesOf } from './store.ts'
import { type Carrier, exportPoint, importPoint } from './transfer.ts'

interface Signalled {
  readonly signal?: AbortSignal
}

/** Checkpoints of any computer whose disk a program aside can reach. */
export class DiskCheckpoints implements Checkpoints {
  readonly #host: Carrier

  constructor(host: Carrier) {
    this.#host = host
  }

  async create({ message, automatic = false, workspace = true, signal }: CreateCheckpointOptions = {}): Promise<CheckpointInfo> {
    const running = await this.#settled()
    const kind = automatic ? 'automatic' : 'manual'
    const point = await make(this.#host, { series: automatic ? 'auto' : 'v', meta: metaText(kind, message), still: running, workspace, signal })
    if (automatic) await this.#prune()
    return point
  }

  async list(): Promise<readonly CheckpointInfo[]> {
    return (await points(this.#host.computer)).map(({ info }) => info)
  }

  async get(id: string): Promise<CheckpointInfo> {
    return (await this.#point(id)).info
  }

  async restore(id: string, options: RestoreOptions = {}): Promise<RestoreResult> {
    checkId(id)
    const running = await this.#settled()
    // Of one that runs it is seen on the way.
    const parts = running ? undefined : (await this.#point(id)).parts
    const result = await restore(this.#host, { id, parts }, running, options)
    await (running ? startedLater(this.#host.computer) : this.#prune())
    return result
  }

  async remove(ids: readonly string[]): Promise<void> {
    ids.forEach(checkId)
    if (ids.length === 0) return
    await runTool(this.#host.computer, [ENGINE, 'rm', STORE, ...ids], { store: true, explain })
  }

  async *diff(from: string, to?: string, options: Signalled = {}): AsyncGenerator<CheckpointChange, void> {
    for (const id of [from, ...(to === undefined ? [] : [to])]) checkId(id)
    // What is half restored is neither then nor now.
    if (to === undefined) await this.#settled()
    const tool = await this.#start(['diff', STORE, from, ...(to === undefined ? [] : [to]), '--json'], { disk: 'read', ...options }, await this.#request((await this.#point(from)).parts))
    // The engine's own words for a change are the contract's.
    for await (const { word } of tool.answers()) if (word !== 'waiting') yield parse(word) as unknown as CheckpointChange
  }

  async hostChanges(id: string, paths?: readonly string[]): Promise<number> {
    checkId(id)
    await this.#settled()
    if (paths) return this.#hostChangesBelow(id, paths)
    const { word } = await runTool(this.#host.computer, [ENGINE, 'diff', STORE, id, '--only-shared', '--count'], { disk: 'read', store: true, explain, input: await this.#request() })
    return Number(word)
  }

  async *read(id: string, path: string, options: Signalled = {}): AsyncGenerator<Uint8Array, void> {
    checkId(id)
    const explainRead: ToolOptions['explain'] = (failure) => {
      if (failure.errno === 'EISDIR') return fail('invalid_argument', `${path} is a directory in ${id}`)
      // Of another form, it is no path.
      if (failure.errno === 'EINVAL' && isPath(path)) return fail('invalid_argument', `${path} is a link in ${id}, or something else that is no file`)
      return failure.errno === 'ENOENT' && failure.subject !== id ? fail('not_found', `${path} is not in ${id}`) : explain(failure)
    }
    const tool = await this.#start(['cat', STORE, id, path], { disk: 'read', ...options, explain: explainRead }, await this.#request())
    yield* tool.bytes()
  }

  export(id: string, options: ExportOptions = {}): AsyncGenerator<Uint8Array, void> {
    return exportPoint(this.#host, id, options)
  }

  async import(tar: ByteSource, options: ImportOptions = {}): Promise<CheckpointInfo> {
    return importPoint(this.#host, tar, options)
  }

  async #hostChangesBelow(id: string, paths: readonly string[]): Promise<number> {
    let count = 0
    const tool = await this.#start(['diff', STORE, id, '--only-shared', '--json'], { disk: 'read' }, await this.#request())
    for await (const { word } of tool.answers()) {
      const { path } = word === 'waiting' ? {} : parse(word)
      if (typeof path === 'string' && paths.some((above) => isBelow(path, above))) count++
    }
    return count
  }

  /** Whether it runs. A restore that was interrupted is finished first. */
  async #settled(): Promise<boolean> {
    const { computer, note } = this.#host
    const { state } = await computer.info()
    // Asleep it is neither: what it has in memory goes on.
    if (state === 'hibernating') await computer.start()
    if (state === 'running' || state === 'hibernating') return true
    await recover(computer, note)
    return false
  }

  async #prune(): Promise<void> {
    const ids = outdated(await this.list())
    if (ids.length > 0) await this.remove(ids)
  }

  async #point(id: string): Promise<Point> {
    checkId(id)
    const found = (await points(this.#host.computer)).find(({ info }) => info.id === id)
    if (found) return found
    throw missing(id)
  }

  async #request(parts?: readonly Part[]): Promise<string> {
    return requestText(partTrees(await treesOf(this.#host.computer), parts))
  }

  async #start(args: readonly string[], options: ToolOptions = {}, input = ''): Promise<Tool> {
    const tool = await Tool.start(this.#host.computer, [ENGINE, ...args], { store: true, explain, ...options })
    if (input !== '') await tool.send(input)
    await tool.end()
    return tool
  }
}

function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(above.endsWith('/') ? above : `${above}/`)
}

function isPath(path: string): boolean {
  return path.startsWith('/') && path.slice(1).split('/').every((part) => !['', '.', '..'].includes(part))
}
