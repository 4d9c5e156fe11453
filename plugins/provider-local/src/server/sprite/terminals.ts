import type { Attachment, SessionInfo } from '../../../../../src/contract/index.ts'
import { greetingOf } from './greeting.ts'
import { type Heard, type Peer, inOrder, listen } from './peer.ts'
import type { Served } from './served.ts'

/** Sessions with a terminal. Every client has a view of its own, which begins with the true screen. */
export class Terminals {
  readonly #served: Served
  /** How many clients look at one. */
  readonly #viewers = new Map<string, number>()
  readonly #watched = new Set<string>()
  readonly #onEmpty: (session: SessionInfo) => void
  readonly #onOver: (session: SessionInfo) => void

  constructor(served: Served, onEmpty: (session: SessionInfo) => void, onOver: (session: SessionInfo) => void) {
    this.#served = served
    this.#onEmpty = onEmpty
    this.#onOver = onOver
  }

  serve(program: Attachment, peer: Peer): void {
    const { session } = program
    const others = this.#viewers.get(session.id) ?? 0
    this.#viewers.set(session.id, others + 1)
    peer.greet({ ...greetingOf(session), cols: session.size?.cols ?? 0, rows: session.size?.rows ?? 0, is_owner: others === 0, tty: true })
    listen(peer, this.#typist(program))
    peer.socket.on('close', () => void this.#left(program))
    void this.#show(program, peer)
  }

  /** Notices its end when no client does. */
  watch(session: SessionInfo): void {
    if (this.#watched.has(session.id)) return
    this.#watched.add(session.id)
    void this.#served.computer.sessions.wait(session.id).then(() => this.#over(session), () => undefined).finally(() => this.#watched.delete(session.id))
  }

  /** Everybody who looks may type, also after another one came: what does not own the session takes the other way in. */
  #typist(program: Attachment): Heard {
    const { sessions } = this.#served.computer
    const { id } = program.session
    let owner = true
    program.onDisowned = () => (owner = false)
    return {
      stdin: inOrder({
        write: (bytes) => (owner ? program.stdin.write(bytes) : sessions.send(id, bytes)),
        end: async () => {},
      }),
      kill: (signal) => (owner ? program.kill(signal) : sessions.signal(id, signal)),
      resize: (size) => (owner ? program.resize(size) : sessions.resize(id, size)),
    }
  }

  async #left(program: Attachment): Promise<void> {
    const { session } = program
    await program.detach().catch(() => undefined)
    const others = (this.#viewers.get(session.id) ?? 1) - 1
    if (others > 0) return void this.#viewers.set(session.id, others)
    if (!this.#viewers.delete(session.id)) return
    this.#onEmpty(session)
    this.watch(session)
  }

  async #show(program: Attachment, peer: Peer): Promise<void> {
    try {
      for await (const data of program.stdout) {
        peer.raw(data)
        await peer.room()
      }
      const status = await program.exit
      this.#over(program.session)
      await peer.exit(status)
    } catch (error) {
      if (peer.open) peer.lost(error instanceof Error ? error.message : String(error))
    }
  }

  /** However many notice. */
  #over(session: SessionInfo): void {
    this.#viewers.delete(session.id)
    this.#onOver(session)
  }
}
