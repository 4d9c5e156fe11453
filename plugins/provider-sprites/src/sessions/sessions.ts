import type { AttachOptions, Attachment, ByteSource, KillOptions, SessionInfo, Sessions } from '../../../../src/contract/index.ts'
import { Terminal } from './attach-terminal.ts'
import { Following } from './attach.ts'
import { fail, given, hasCode, throwIfAborted } from '../errors.ts'
import { ORDINARY, nativeOf, openNative } from './natives.ts'
import { Recorder } from './recorder.ts'
import { Line } from './recorder-line.ts'
import { Tag, numbers } from './recorder-wire.ts'
import { ForeignSessions } from './foreign.ts'
import { readLogs } from './logs.ts'
import { findRecord, readRecords } from './records.ts'
import { startSession } from './start.ts'
import { checkSignal, numberOf } from '../exec/signals.ts'
import type { Sprite } from '../sprite.ts'

const PIECE = 64 * 1024

/** Sessions that the service would forget: each is recorded on the sprite, see `src/guest/native/record.h`. */
export function spriteSessions(sprite: Sprite): Sessions {
  const recorder = new Recorder(sprite)
  const foreign = new ForeignSessions(sprite)
  const isForeign = (id: string) => ForeignSessions.names(id)
  const find = (id: string) => (isForeign(id) ? foreign.get(id) : findRecord(recorder, id))

  /** Something is asked of a living one from aside; resolves once it was obeyed. */
  async function ask(id: string, work: (line: Line, session: SessionInfo) => Promise<void>): Promise<SessionInfo> {
    const session = await find(id)
    if (session.state.status !== 'running') return session
    const line = await Line.open(recorder, session.id, 'a')
    try {
      await work(line, session)
      await line.say(Tag.sync)
      await line.until(Tag.synced)
    } finally {
      await line.leave()
    }
    return session
  }

  /** Until it ended; over a broken connection again. */
  async function wait(id: string, options: { readonly signal?: AbortSignal } = {}): Promise<SessionInfo> {
    const { signal } = options
    for (let session = await find(id); ; session = await find(session.id)) {
      throwIfAborted(signal)
      if (session.state.status !== 'running') return session
      const line = await Line.open(recorder, session.id, 'a')
      const onAbort = () => line.cut(given(signal))
      signal?.addEventListener('abort', onAbort, { once: true })
      if (signal?.aborted) onAbort()
      try {
        await line.until(Tag.status)
      } catch (error) {
        if (signal?.aborted) throw given(signal)
        if (!hasCode(error, 'connection_lost', 'unavailable')) throw error
      } finally {
        signal?.removeEventListener('abort', onAbort)
        await line.leave()
      }
    }
  }

  async function kill(id: string, { signal = 'SIGTERM', grace = 5000 }: KillOptions = {}): Promise<SessionInfo> {
    checkSignal(signal)
    const session = await ask(id, (line) => line.say(Tag.kill, Buffer.concat([Buffer.of(numberOf(signal)), numbers(grace)])))
    return wait(session.id)
  }

  async function remove(id: string): Promise<void> {
    const session = await find(id)
    if (session.state.status === 'running') throw fail('conflict', `session ${session.id} on ${sprite.name} is running`, { computer: sprite.name, hint: `End it first: amux computer session kill ${session.id} -c ${sprite.name}` })
    await forget(session.id)
  }

  async function forget(id: string): Promise<void> {
    await sprite.text(['rm', '-rf', '--', recorder.dir(await recorder.place(), id)])
  }

  async function attach(id: string, { size, readOnly = false, from, signal }: AttachOptions = {}): Promise<Attachment> {
    throwIfAborted(signal)
    const session = await find(id)
    const running = session.state.status === 'running'
    const native = session.tty && running ? await nativeOf(sprite, recorder.dir(await recorder.place(), session.id)) : undefined
    const screen = native === undefined ? undefined : await openNative(sprite, native, size ?? session.size ?? ORDINARY).catch((error: unknown) => {
      if (hasCode(error, 'not_found')) return undefined
      throw error
    })
    const gone = () => fail('not_found', `session ${session.id} on ${sprite.name} is gone`, { computer: sprite.name })
    const life = await Following.open(recorder, () => session, session.id, { role: readOnly ? 'v' : 'o', from: screen ? undefined : (from ?? { stdout: 0, stderr: 0 }), signal }, gone)
    if (!screen) return life
    const terminal = new Terminal(screen, life, { readOnly })
    if (size && !readOnly) await terminal.resize(size)
    return terminal
  }

  return {
    start: (argv, options = {}) => startSession(recorder, argv, options, { kill: (id) => kill(id, { grace: 0 }), remove: (id) => forget(id).catch(() => undefined) }),
    async list() {
      const recorded = await readRecords(recorder)
      return [...recorded, ...(await foreign.list())].toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
    },
    get: find,
    attach: (id, options = {}) => (isForeign(id) ? foreign.attach(id, options) : attach(id, options)),
    async *logs(id, options = {}) {
      if (isForeign(id)) foreign.logs((await foreign.get(id)).id)
      yield* readLogs(recorder, (await find(id)).id, options)
    },
    async send(id: string, data: ByteSource | Uint8Array, { eof = false } = {}) {
      if (isForeign(id)) return foreign.send(id, data, eof)
      const session = await ask(id, async (line) => {
        for await (const chunk of data instanceof Uint8Array ? [data] : data) {
          for (let at = 0; at < chunk.length; at += PIECE) await line.say(Tag.input, chunk.subarray(at, at + PIECE))
        }
        if (eof) await line.say(Tag.endInput)
      })
      if (session.state.status !== 'running') throw fail('conflict', `session ${session.id} on ${sprite.name} has ended`, { computer: sprite.name })
    },
    async resize(id, size) {
      if (isForeign(id)) return foreign.resize(id, size)
      const session = await find(id)
      if (!session.tty) throw fail('invalid_argument', `session ${session.id} has no terminal`, { source: 'amux', computer: sprite.name })
      const native = session.state.status === 'running' ? await nativeOf(sprite, recorder.dir(await recorder.place(), session.id)) : undefined
      if (native === undefined) return
      const screen = await openNative(sprite, native, size)
      await screen.resize(size)
      screen.leave(fail('aborted', 'resized', { source: 'amux' }))
    },
    async signal(id, signal) {
      if (isForeign(id)) return foreign.signal(id, signal)
      checkSignal(signal)
      await ask(id, (line) => line.say(Tag.signal, Buffer.of(numberOf(signal))))
    },
    kill: (id, options = {}) => (isForeign(id) ? foreign.kill(id, options) : kill(id, options)),
    wait: (id, options = {}) => (isForeign(id) ? foreign.wait(id, options.signal) : wait(id, options)),
    remove,
  }
}
