import { posix } from 'node:path'
import type { ByteSource, CheckpointChange, CheckpointInfo, Checkpoints, ImportOptions, RestoreOptions, RestoreResult } from '../../../../src/contract/index.ts'
import { readTree, treeDiff, restorePaths } from './tree.ts'
import { wake } from '../computer.ts'
import { fail, hasCode, statusOf } from '../errors.ts'
import { carrySessions } from '../sessions/carry.ts'
import type { Sprite } from '../sprite.ts'

/** Comments in which amux says what a checkpoint is for. */
const SAFETY = 'amux: before the restore of'
const AUTOMATIC = 'amux: automatic'
/** Of automatic and safety points together with their own kind, so many are kept. */
const KEPT = 10
/** Of what the service says while it works, in characters. */
const WORDS_MOST = 64 * 1024
const SAID_MOST = 1000
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

interface Row {
  readonly id: string
  readonly create_time?: string
  readonly comment?: string | null
  readonly is_auto?: boolean
  readonly health?: string
}

/** The service's own, with a safety point before each restore. */
export function spriteCheckpoints(sprite: Sprite): Checkpoints {
  const points = new Points(sprite)
  return {
    create: ({ message, automatic = false, workspace, signal } = {}) => {
      if (workspace === false) throw fail('unsupported', 'a sprite has one disk: its checkpoints cover the project too', { computer: sprite.name })
      return points.create(automatic ? join(AUTOMATIC, message) : (message ?? ''), signal)
    },
    list: () => points.list(),
    get: (id) => points.get(id),
    restore: (id, options = {}) => points.restore(id, options),
    remove: (ids) => points.remove(ids),
    diff: (from, to, { signal } = {}) => points.diff(from, to, signal),
    // The project's files on this machine are not the sprite's.
    hostChanges: async () => 0,
    read: (id, path, { signal } = {}) => points.read(id, path, signal),
    export: (id, { signal } = {}) => points.export(id, signal),
    import: (tar, options = {}) => points.import(tar, options),
  }
}

class Points {
  readonly #sprite: Sprite

  constructor(sprite: Sprite) {
    this.#sprite = sprite
  }

  async create(comment: string, signal: AbortSignal | undefined): Promise<CheckpointInfo> {
    const { client } = this.#sprite
    let id: string | undefined
    const before = new Set((await this.list()).map((point) => point.id))
    try {
      const events = client.events('POST', this.#sprite.path('checkpoint'), { body: comment === '' ? {} : { comment }, signal })
      const text = await this.#follow(events, 'the checkpoint was not made')
      id = /^\s*ID:\s*(\S+)/m.exec(text)?.[1] ?? /Checkpoint (\S+) created/.exec(text)?.[1]
    } catch (error) {
      // Whether it was made all the same, only the list knows.
      if (!hasCode(error, 'connection_lost')) throw error
      const [kind, message] = meaning(comment, false)
      id = (await this.list().catch(() => [])).find((point) => !before.has(point.id) && point.kind === kind && (point.message ?? '') === message)?.id
      if (id === undefined) throw error
    }
    if (id === undefined) throw fail('corrupt', 'the service made a checkpoint and did not say which', { computer: this.#sprite.name, hint: `See which it is: ${this.#ls}` })
    const made = await this.get(id)
    if (made.kind !== 'manual') await this.#prune(made.kind)
    return made
  }

  async list(): Promise<readonly CheckpointInfo[]> {
    const rows = await this.#sprite.client.json<readonly Row[]>('GET', this.#sprite.path('checkpoints'))
    // The first is the disk as it is now, the last the sprite as it was born.
    return rows.filter(({ id }) => id !== 'Current' && id !== 'v0').map(infoOf)
  }

  async get(id: string): Promise<CheckpointInfo> {
    const row = await this.#sprite.client.json<Row>('GET', this.#path(id)).catch((error: unknown) => {
      throw statusOf(error) === 404 ? fail('not_found', `there is no checkpoint ${id}`, { computer: this.#sprite.name, cause: error, hint: `See which there are: ${this.#ls}` }) : error
    })
    return infoOf(row)
  }

  async restore(id: string, { paths, keepWorkspace = false, signal }: RestoreOptions): Promise<RestoreResult> {
    if (keepWorkspace) throw fail('unsupported', 'a sprite has one disk: a restore replaces the project too', { computer: this.#sprite.name, hint: 'Restore single paths instead.' })
    await this.get(id)
    for (const path of paths ?? []) checkPath(path)
    const safety = await this.create(`${SAFETY} ${id}`, signal)
    const changed = paths ? await restorePaths(this.#sprite, id, paths, signal) : await this.#whole(id)
    return { restored: id, safety: safety.id, ...(changed !== undefined && { changed }) }
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.get(id)
    for (const id of ids) {
      await this.#sprite.client.json('DELETE', this.#path(id)).catch((error: unknown) => {
        throw statusOf(error) === 405 || statusOf(error) === 501 ? fail('unsupported', 'the service does not delete checkpoints', { computer: this.#sprite.name }) : error
      })
    }
  }

  async *diff(from: string, to: string | undefined, signal: AbortSignal | undefined): AsyncGenerator<CheckpointChange, void> {
    for (const id of [from, ...(to === undefined ? [] : [to])]) await this.get(id)
    if (!this.#sprite.client.server.amux) return yield* treeDiff(this.#sprite, from, to, signal)
    for await (const event of this.#sprite.client.events('GET', this.#extension(from, 'diff'), { query: { to }, signal })) {
      if ('error' in event) throw fail('failed', `the checkpoints cannot be compared: ${JSON.stringify(event['error'])}`, { computer: this.#sprite.name })
      // Our own server's.
      yield event as unknown as CheckpointChange
    }
  }

  async *read(id: string, path: string, signal: AbortSignal | undefined): ByteSource {
    await this.get(id)
    if (!posix.isAbsolute(path)) throw fail('invalid_argument', `${path} is not absolute`, { source: 'amux' })
    if (!this.#sprite.client.server.amux) return yield* readTree(this.#sprite, id, path, signal)
    yield* (await this.#sprite.client.bytes('GET', this.#extension(id, 'read'), { query: { path }, signal })).body
  }

  async *export(id: string, signal: AbortSignal | undefined): ByteSource {
    await this.get(id)
    this.#ours('Sprites do not give checkpoints out', 'Copy the files: amux computer cp')
    yield* (await this.#sprite.client.bytes('GET', this.#extension(id, 'export'), { signal, timeout: 0 })).body
  }

  async import(tar: ByteSource, { message, withoutSystem, signal }: ImportOptions): Promise<CheckpointInfo> {
    await this.#sprite.client.json('GET', this.#sprite.path())
    this.#ours('Sprites do not take checkpoints in', 'Copy the files: amux computer cp')
    try {
      return await this.#sprite.client.upload<CheckpointInfo>('POST', this.#sprite.path('amux', 'import'), tar, { query: { message, 'without-system': withoutSystem === true ? 'true' : undefined }, signal })
    } catch (error) {
      const word = error instanceof Error && 'word' in error ? error.word : undefined
      throw word === 'corrupt' ? fail('corrupt', error instanceof Error ? error.message : 'it is no checkpoint', { computer: this.#sprite.name, cause: error }) : error
    }
  }

  async #whole(id: string): Promise<undefined> {
    // What sessions left behind does not go back in time with the disk.
    const putBack = await carrySessions(this.#sprite)
    const events = this.#sprite.client.events('POST', this.#path(id, 'restore'))
    await this.#follow(events, `${id} was not restored`).catch((error: unknown) => {
      // The sprite restarts under it; whether it was restored shows when it answers again.
      if (!hasCode(error, 'connection_lost')) throw error
    })
    await wake(this.#sprite, undefined)
    await putBack()
  }

  /** What it said. Failures come inside the stream, which ends with `complete` if nothing broke. */
  async #follow(events: AsyncIterable<Readonly<Record<string, unknown>>>, failed: string): Promise<string> {
    let text = ''
    let complete = false
    for await (const { type, data, error, code } of events) {
      if (type === 'error') throw this.#failure(failed, String(error ?? data).slice(0, SAID_MOST), code)
      // Its last words say what was made.
      if (typeof data === 'string') text = `${text}${data}\n`.slice(-WORDS_MOST)
      complete ||= type === 'complete'
    }
    if (complete) return text
    throw fail('connection_lost', `${failed}, or the service did not say: its answer broke off`, { source: 'transport', computer: this.#sprite.name })
  }

  /** Our own server tells the code, the service has but words. */
  #failure(failed: string, said: string, code: unknown): Error {
    const full = code === 'quota_exceeded' || /no space left|disk .*full/i.test(said)
    const hint = full ? `Free some space: delete files on the computer, or checkpoints (amux computer checkpoint rm ID -c ${this.#sprite.name} -P sprites).` : undefined
    return fail(full ? 'quota_exceeded' : code === 'conflict' || code === 'locked' ? code : 'failed', `${failed}: ${said}`, { computer: this.#sprite.name, hint })
  }

  async #prune(kind: CheckpointInfo['kind']): Promise<void> {
    const old = (await this.list()).filter((point) => point.kind === kind).slice(KEPT)
    for (const { id } of old) await this.#sprite.client.json('DELETE', this.#path(id)).catch(() => undefined)
  }

  #ours(message: string, hint: string): void {
    if (!this.#sprite.client.server.amux) throw fail('unsupported', message, { computer: this.#sprite.name, hint })
  }

  #path(id: string, ...more: readonly string[]): string {
    if (ID.test(id)) return this.#sprite.path('checkpoints', id, ...more)
    throw fail('invalid_argument', `${JSON.stringify(id)} is no checkpoint's id`, { source: 'amux', hint: `See which there are: ${this.#ls}` })
  }

  get #ls(): string {
    return `amux computer checkpoint ls -c ${this.#sprite.name} -P sprites`
  }

  #extension(id: string, what: string): string {
    return this.#sprite.path('amux', 'checkpoints', id, what)
  }
}

function infoOf({ id, create_time, comment, is_auto = false, health = '' }: Row): CheckpointInfo {
  const [kind, message] = meaning(comment ?? '', is_auto)
  return { id, createdAt: create_time ?? new Date(0).toISOString(), kind, ...((message || health) && { message: health === '' ? message : `${message} (${health})`.trim() }) }
}

function meaning(comment: string, automatic: boolean): readonly [CheckpointInfo['kind'], string] {
  if (comment.startsWith(SAFETY)) return ['safety', comment.slice('amux: '.length)]
  if (comment.startsWith(AUTOMATIC)) return ['automatic', comment.slice(AUTOMATIC.length).replace(/^: /, '')]
  return [automatic ? 'automatic' : 'manual', comment]
}

function join(marker: string, message: string | undefined): string {
  return message === undefined || message === '' ? marker : `${marker}: ${message}`
}

function checkPath(path: string): void {
  if (posix.isAbsolute(path) && !path.split('/').includes('..') && path !== '/') return
  throw fail('invalid_argument', `${JSON.stringify(path)} is no absolute path without "..": it cannot be restored alone`, { source: 'amux' })
}
