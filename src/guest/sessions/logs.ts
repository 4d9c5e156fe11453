import { Frame } from '../../protocol/index.ts'
import { GuestError } from '../wire.ts'
import type { SessionEngine } from './engine.ts'
import { LogReader, type StreamNumber } from './log.ts'
import { place } from '../../native/index.ts'
import { mergedPieces, type Piece } from './pieces.ts'
import type { FrameStream } from './serve.ts'
import type { Session } from './session.ts'
import { Block, FrameSink } from './sink.ts'
import { lastLines } from './tail.ts'

export interface LogQuery {
  readonly stream?: 'stdout' | 'stderr' | 'both'
  /** Absolute offset; needs one stream. */
  readonly from?: number
  readonly tail?: number
  readonly follow?: boolean
}

const streams = { stdout: [1], stderr: [2], both: [1, 2] } as const

/** Writes a session's log to a client at the client's pace. Rejects while nothing was answered yet. */
export async function writeLogs(engine: SessionEngine, id: string, stream: FrameStream, query: LogQuery): Promise<void> {
  const session = engine.get(id)
  const wanted: readonly StreamNumber[] | undefined = streams[query.stream ?? 'both']
  if (wanted === undefined) throw new GuestError('invalid_argument', `${JSON.stringify(query.stream)} is no stream: stdout, stderr or both`)
  if (query.from !== undefined && wanted.length > 1 && session.tracks.length > 1) {
    throw new GuestError('invalid_argument', 'an offset counts in one stream: say which')
  }
  const writer = new LogWriter(session, stream)
  stream.resume()
  stream.respond({ ':status': 200 })
  await writer.write(wanted.filter((number) => number <= session.tracks.length), query)
}

class LogWriter {
  readonly #session: Session
  readonly #sink: FrameSink
  readonly #readers: Readonly<Record<StreamNumber, LogReader>>
  readonly #gone = new AbortController()
  /** Where the client thinks each stream is. */
  readonly #told = new Map<StreamNumber, number>()
  #wake: () => void = () => {}

  constructor(session: Session, stream: FrameStream) {
    this.#session = session
    this.#sink = new FrameSink(stream)
    this.#readers = { 1: new LogReader(session.dir, 1), 2: new LogReader(session.dir, 2) }
    stream.once('close', () => {
      this.#gone.abort()
      this.#wake()
    })
    this.#sink.onRoom = () => this.#wake()
  }

  async write(wanted: readonly StreamNumber[], { from, tail, follow }: LogQuery): Promise<void> {
    const { dir, tracks } = this.#session
    const next = new Map(wanted.map((number) => [number, Math.max(from ?? 0, tracks[number - 1]?.floor(dir) ?? 0)]))
    try {
      for (let first = true; ; first = false) {
        const complete = this.#session.finished
        await this.#writePieces(this.#pieces(next, first ? tail : undefined))
        if (follow !== true || complete || this.#gone.signal.aborted) break
        await this.#session.moved(() => this.#session.finished || wanted.some((number) => (tracks[number - 1]?.end ?? 0) > (next.get(number) ?? 0)), this.#gone.signal)
      }
      this.#sink.json(Frame.done, { stdout: tracks[0]?.end ?? 0, stderr: tracks[1]?.end ?? 0 })
    } catch (error) {
      if (!this.#gone.signal.aborted) throw error
    } finally {
      this.#sink.end()
      for (const reader of Object.values(this.#readers)) reader.close()
    }
  }

  /** What is there now and was not written yet; `next` moves behind it. */
  #pieces(next: Map<StreamNumber, number>, tail: number | undefined): Piece[] {
    const { dir, tracks } = this.#session
    const bounds = (number: StreamNumber): [number, number] => {
      const from = next.get(number)
      return from === undefined ? [0, 0] : [from, Math.max(from, tracks[number - 1]?.end ?? 0)]
    }
    const [out, err] = [bounds(1), bounds(2)]
    if (next.has(1)) next.set(1, out[1])
    if (next.has(2)) next.set(2, err[1])
    const pieces = mergedPieces(dir, [out[0], err[0]], [out[1], err[1]])
    return tail === undefined ? pieces : lastLines(dir, pieces, tail)
  }

  async #writePieces(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) {
      for (let at = piece.from; at < piece.to; ) {
        while (!this.#sink.hasRoom) {
          if (this.#gone.signal.aborted) return
          await new Promise<void>((resolve) => (this.#wake = resolve))
        }
        at = this.#writeSome(piece, at)
      }
    }
  }

  /** Returns the offset of what comes next. What is not kept is left out: the mark after it says so. */
  #writeSome({ stream, to }: Piece, at: number): number {
    const block = new Block()
    const result = this.#readers[stream].read(at, block.space.subarray(0, Math.min(block.space.length, to - at)))
    if ('next' in result || result.bytes === 0) {
      block.release()
      return 'next' in result ? Math.min(result.next, to) : to
    }
    if (this.#told.get(stream) !== at) this.#sink.send(Frame.mark, place(stream, at))
    this.#sink.sendBlock(stream === 1 ? Frame.stdout : Frame.stderr, block, result.bytes)
    this.#told.set(stream, at + result.bytes)
    return at + result.bytes
  }
}
