import type { Duplex } from 'node:stream'
import { type AttachRequest, Frame, FRAME_MAX, INPUT_WINDOW, type StartRequest } from '../../protocol/index.ts'
import { GuestError, toWire } from '../wire.ts'
import type { SessionEngine } from './engine.ts'
import { PacketDecoder } from '../../native/index.ts'
import { checkSize } from './plan.ts'
import type { Session } from './session.ts'
import { FrameSink } from './sink.ts'
import { Viewer } from './viewer.ts'

/** The server's side of an HTTP/2 stream. */
export interface FrameStream extends Duplex {
  respond(headers: { readonly ':status': number }): void
}

/** Starts a program for a client. Rejects while nothing was answered yet. */
export async function handleExec(engine: SessionEngine, stream: FrameStream): Promise<void> {
  const client = new Client(stream)
  // The shape is the client's promise; what matters is checked where it is used.
  const request = (await client.opening) as StartRequest
  const own = request.detached !== true
  await client.stays()
  const session = await engine.start(request, own ? 'owner' : 'viewer')
  if (!stream.destroyed) stream.respond({ ':status': 200 })
  await client.join(session, own, (viewer) => {
    viewer.starter = !own
    return session.join(viewer, own, undefined, true)
  })
}

/** Shows a client a session. */
export async function handleAttach(engine: SessionEngine, stream: FrameStream): Promise<void> {
  const client = new Client(stream)
  const request = (await client.opening) as AttachRequest
  const own = request.readOnly !== true
  const session = engine.get(request.id)
  if (request.size !== undefined) checkSize(request.size)
  if (!stream.destroyed) stream.respond({ ':status': 200 })
  await client.join(session, own, async (viewer) => {
    if (own && request.size !== undefined && session.terminal !== undefined && session.running) await session.resize(request.size)
    await session.join(viewer, own, request.from)
  })
}

/** One client's stream of frames. */
class Client {
  readonly opening: Promise<unknown>
  readonly #stream: FrameStream
  #early: [type: number, payload: Buffer][] = []
  #session: Session | undefined
  #viewer: Viewer | undefined
  #open: ((request: unknown) => void) | undefined
  #refuse: ((error: GuestError) => void) | undefined
  #leaves = false
  #left = false

  constructor(stream: FrameStream) {
    this.#stream = stream
    this.opening = new Promise((resolve, reject) => {
      this.#open = resolve
      this.#refuse = reject
    })
    const decoder = new PacketDecoder({ packet: (type, payload) => this.#receive(type, payload), piece: (payload) => this.#receive(Frame.stdin, payload) }, FRAME_MAX, Frame.stdin)
    stream.on('data', (chunk: Buffer) => this.#take(decoder, chunk))
    stream.once('end', () => this.#onEnd())
    stream.once('close', () => this.#onClose())
  }

  /** Who asked and left while this guest stood still, for a limit or a Ctrl-C, was told that nothing was done. */
  async stays(): Promise<void> {
    // The second time around, whatever else its socket has was read.
    for (let rounds = 0; rounds < 2; rounds++) await new Promise(setImmediate)
    if (this.#left) throw new GuestError('aborted', 'the client left')
  }

  async join(session: Session, own: boolean, enter: (viewer: Viewer) => Promise<void>): Promise<void> {
    const viewer = new Viewer(new FrameSink(this.#stream), session.dir, session.tracks)
    viewer.owner = own
    this.#viewer = viewer
    const entered = enter(viewer)
    this.#session = session
    for (const [type, payload] of this.#early.splice(0)) this.#obey(session, viewer, type, payload)
    await entered.catch((error: unknown) => viewer.fail(toWire(error)))
    if (this.#stream.destroyed) this.#onClose()
  }

  #take(decoder: PacketDecoder, chunk: Buffer): void {
    const push = (): void => decoder.push(chunk)
    try {
      const holder = this.#session?.holder
      if (holder === undefined) push()
      else holder.together(push)
    } catch {
      this.#refuse?.(new GuestError('invalid_argument', 'the request is no sequence of frames'))
      if (this.#session !== undefined) this.#stream.destroy()
    }
  }

  #receive(type: number, payload: Buffer): void {
    if (type === Frame.open) return this.#open?.(JSON.parse(payload.toString()))
    if (this.#session === undefined || this.#viewer === undefined) return void this.#early.push([type, payload])
    this.#obey(this.#session, this.#viewer, type, payload)
  }

  #obey(session: Session, viewer: Viewer, type: number, payload: Buffer): void {
    if (type === Frame.ack && payload.length === 16) {
      viewer.acknowledge(Number(payload.readBigUInt64BE(0)), Number(payload.readBigUInt64BE(8)))
      if (viewer.owner) session.audience.pace()
      return
    }
    if (type === Frame.detach) {
      this.#leaves = true
      return this.#part()
    }
    if (type === Frame.direct && payload.length === 8) return session.door.back(viewer, payload.readBigUInt64BE(0))
    const may = viewer.owner || (viewer.starter && session.audience.owner === undefined)
    if (!may) return
    if (type === Frame.stdin) this.#type(session, viewer, payload)
    else if (type === Frame.eof) session.keyboard.end(viewer.owner)
    else if (type === Frame.signal) session.signal(payload.toString())
    else if (type === Frame.resize) this.#resize(session, payload)
    else if (type === Frame.door) session.door.ask(viewer)
  }

  /** A client that does not wait for `taken` waits for its stream. */
  #type(session: Session, viewer: Viewer, bytes: Buffer): void {
    session.type(bytes, viewer.owner)
    if (session.keyboard.waiting <= 2 * INPUT_WINDOW || this.#stream.isPaused()) return
    this.#stream.pause()
    session.keyboard.settled(INPUT_WINDOW).then(() => this.#stream.resume(), () => {})
  }

  #resize(session: Session, payload: Buffer): void {
    const { cols, rows } = JSON.parse(payload.toString()) as { cols: number; rows: number }
    session.resize({ cols, rows }).catch(() => {})
  }

  /** It says no more. What it has it acknowledged before: a dead client's stream ends just the same. */
  #onEnd(): void {
    this.#refuse?.(new GuestError('invalid_argument', 'the request ends before it says what is wanted'))
    this.#part()
  }

  #onClose(): void {
    this.#refuse?.(new GuestError('aborted', 'the client left'))
    this.#part()
  }

  #part(): void {
    this.#left = true
    const [session, viewer] = [this.#session, this.#viewer]
    if (session === undefined || viewer === undefined) return
    this.#session = undefined
    const over = viewer.confirmed
    session.part(viewer, over ? 'over' : this.#leaves ? 'left' : 'lost')
    if (!over && !this.#stream.writableEnded) this.#stream.end()
  }
}
