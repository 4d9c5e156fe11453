import { setTimeout as sleep } from 'node:timers/promises'
import type { AttachOptions, Attachment, ByteSource, KillOptions, SessionInfo, SessionState } from '../../../../src/contract/index.ts'
import { fail, given, throwIfAborted } from '../errors.ts'
import type { Execution } from '../exec/execution.ts'
import { notTyped } from '../exec/fate.ts'
import { type NativeSession, ORDINARY, natives, openNative } from './natives.ts'
import { checkSignal, nameOf, signalAside } from '../exec/signals.ts'
import type { Sprite } from '../sprite.ts'

const PREFIX = 'n-'
const LOOK_MS = 1000

/** Sessions that others started: the service lists them while they live, and forgets all about them then. */
export class ForeignSessions {
  readonly #sprite: Sprite

  constructor(sprite: Sprite) {
    this.#sprite = sprite
  }

  static names(id: string): boolean {
    return id.startsWith(PREFIX)
  }

  async list(): Promise<readonly SessionInfo[]> {
    const { user } = await this.#sprite.facts()
    return (await natives(this.#sprite)).filter(({ id, command = '' }) => /^[a-z0-9]{1,30}$/.test(String(id)) && !command.includes('/.amux/bin/amux-init')).map((row) => infoOf(row, user.name))
  }

  async get(id: string): Promise<SessionInfo> {
    const found = (await this.list()).find((session) => session.id === id)
    if (found) return found
    throw fail('not_found', `there is no session ${JSON.stringify(id)} on ${this.#sprite.name}`, { computer: this.#sprite.name, hint: `amux computer session ls -c ${this.#sprite.name} -P sprites` })
  }

  async attach(id: string, { size, readOnly = false, signal }: AttachOptions): Promise<Attachment> {
    throwIfAborted(signal)
    const session = await this.get(id)
    const program = await this.#open(session, size)
    const onAbort = () => program.leave(given(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    program.exit.catch(() => undefined).finally(() => signal?.removeEventListener('abort', onAbort))
    return {
      session,
      stdin: readOnly ? notTyped(id) : program.stdin,
      stdout: program.stdout,
      stderr: program.stderr,
      exit: program.exit,
      kill: (name) => program.kill(name),
      resize: (wanted) => program.resize(wanted),
      detach: async () => program.leave(fail('aborted', 'detached', { source: 'amux' })),
    }
  }

  logs(id: string): never {
    throw fail('unsupported', `${this.#sprite.name} keeps no log of session ${id}: amux did not start it`, { computer: this.#sprite.name, hint: `See it live: amux computer attach ${id} -c ${this.#sprite.name} -P sprites` })
  }

  async send(id: string, data: ByteSource | Uint8Array, eof: boolean): Promise<void> {
    const program = await this.#open(await this.get(id), undefined)
    for await (const chunk of data instanceof Uint8Array ? [data] : data) await program.stdin.write(chunk)
    if (eof) await program.stdin.end()
    await program.flushed()
    program.leave(fail('aborted', 'sent', { source: 'amux' }))
  }

  async resize(id: string, size: { readonly cols: number; readonly rows: number }): Promise<void> {
    const session = await this.get(id)
    if (!session.tty) throw fail('invalid_argument', `session ${id} has no terminal`, { source: 'amux', computer: this.#sprite.name })
    const program = await this.#open(session, size)
    await program.resize(size)
    await program.flushed()
    program.leave(fail('aborted', 'resized', { source: 'amux' }))
  }

  async signal(id: string, name: string): Promise<void> {
    checkSignal(name)
    await this.get(id)
    await signalAside(this.#sprite, native(id), name)
  }

  async kill(id: string, { signal = 'SIGTERM', grace = 5000 }: KillOptions): Promise<SessionInfo> {
    checkSignal(signal)
    const session = await this.get(id)
    let code: number | undefined
    for await (const event of this.#sprite.client.events('POST', this.#sprite.path('exec', native(id), 'kill'), { query: { signal: grace === 0 ? 'SIGKILL' : signal, timeout: `${Math.max(grace, 1000)}ms` } })) {
      if (event['type'] === 'complete' && typeof event['exit_code'] === 'number') code = event['exit_code']
    }
    return { ...session, state: stateOf(code) }
  }

  /** How it ended the service does not say. */
  async wait(id: string, signal: AbortSignal | undefined): Promise<SessionInfo> {
    const session = await this.get(id)
    while ((await this.list()).some((one) => one.id === id && one.startedAt === session.startedAt)) {
      throwIfAborted(signal)
      await sleep(LOOK_MS, undefined, signal && { signal }).catch(() => throwIfAborted(signal))
    }
    return { ...session, state: stateOf(undefined) }
  }

  async #open(session: SessionInfo, size: { readonly cols: number; readonly rows: number } | undefined): Promise<Execution> {
    const program = await openNative(this.#sprite, native(session.id), session.tty ? (size ?? ORDINARY) : undefined, `session ${session.id}`)
    if (size && session.tty) await program.resize(size)
    return program
  }
}

function native(id: string): string {
  return id.slice(PREFIX.length)
}

function infoOf({ id, command = '', tty = false, workdir = '', created = '', last_activity }: NativeSession, user: string): SessionInfo {
  return {
    id: `${PREFIX}${id}`,
    argv: [command],
    command,
    cwd: workdir,
    user,
    tty,
    pid: Number(id) || 0,
    startedAt: created,
    state: { status: 'running' },
    viewers: 0,
    owned: false,
    lastActiveAt: last_activity ?? created,
    labels: {},
  }
}

function stateOf(code: number | undefined): SessionState {
  const endedAt = new Date().toISOString()
  const signal = code === undefined || code <= 128 ? undefined : nameOf(code - 128)
  if (signal !== undefined) return { status: 'killed', signal, endedAt }
  return code === undefined || code < 0 ? { status: 'ended', reason: 'lost', endedAt } : { status: 'exited', code, endedAt }
}
