import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A connection that has carried so many messages is left alone: what is sent again after each break would never get through. */
const EARLY = 20

export interface Plan {
  /** Cut the n-th WebSocket off after so many messages of either direction, counted from 0; in the middle of the next one with `midway`. */
  cutAfter?: number
  /** Only so many times. Default 1. */
  times?: number
  midway?: boolean
  /** Cut a connection off once so many bytes passed in one direction of it, so many `times`. */
  cutBytes?: number
  /** Every piece is cut up and held back for a while, at random. */
  shaky?: boolean
  /** An exec's WebSocket is cut off now and then, once its program is known to run: at this chance for each of its first messages. */
  breaks?: number
  /** Every request is answered with this before it reaches the server, so many times. */
  answer?: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string; times: number }
}

/** What a network does to a connection. */
export class Faults {
  plan: Plan = {}
  /** Messages of WebSockets that passed, of both directions. */
  messages = 0
  cuts = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #seed = 1
  #port = 0

  private constructor(target: URL) {
    this.#server = createServer({ pauseOnConnect: true }, (socket) => void this.#serve(socket, target))
  }

  /** The same seed does the same to the same. */
  static async before(url: string, seed = 1): Promise<Faults> {
    const faults = new Faults(new URL(url))
    faults.#seed = seed
    faults.#server.listen(0, '127.0.0.1')
    await once(faults.#server, 'listening')
    return faults
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** From now on; what is connected goes on. */
  set(plan: Plan): void {
    this.plan = { times: 1, ...plan }
    this.messages = 0
    this.cuts = 0
  }

  /** As when the server is killed: what is connected breaks, and nothing answers. */
  async down(): Promise<void> {
    this.#port = (this.#server.address() as AddressInfo).port
    const closed = once(this.#server, 'close')
    this.close()
    await closed
  }

  /** It is there again, at the same address. */
  async up(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #serve(client: Socket, target: URL): Promise<void> {
    const server = connect(Number(target.port), target.hostname)
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    const { answer } = this.plan
    if (answer && answer.times > 0) {
      answer.times--
      client.resume().once('data', () => client.end(reply(answer)))
      return
    }
    const cut = () => {
      this.cuts++
      client.resetAndDestroy()
      server.destroy()
    }
    const asked = new Frames()
    void this.#pass(client, server, asked, cut)
    void this.#pass(server, client, new Frames(), cut, () => asked.isPipedExec)
  }

  async #pass(from: Socket, to: Socket, frames: Frames, cut: () => void, breakable = () => false): Promise<void> {
    let passed = 0
    let heard = 0
    let { plan } = this
    for await (const chunk of from as AsyncIterable<Buffer>) {
      // A connection may be older than the plan.
      if (plan !== this.plan) [passed, plan] = [0, this.plan]
      passed += chunk.length
      if (this.plan.cutBytes !== undefined && passed > this.plan.cutBytes && this.cuts < (this.plan.times ?? 1)) return cut()
      for (const piece of this.#pieces(chunk)) {
        if (this.plan.shaky) if (this.#random() < 0.2) await sleep(this.#random() * 3)
        const { cutAfter, times = 1, midway = false } = this.plan
        for (const message of frames.split(piece)) {
          const due = message.whole && cutAfter !== undefined && this.cuts < times && this.messages === cutAfter
          if (message.whole) this.messages++
          // The first says that it runs.
          const random = message.whole && heard++ > 0 && heard < EARLY && this.plan.breaks !== undefined && breakable() && this.#random() < this.plan.breaks
          if (due || random) {
            if (midway) to.write(message.bytes.subarray(0, message.bytes.length >> 1))
            await sleep(5)
            return cut()
          }
          await new Promise<void>((resolve) => to.write(message.bytes, () => resolve()))
        }
      }
    }
    to.end()
  }

  *#pieces(chunk: Buffer): Generator<Buffer> {
    if (!this.plan.shaky) return yield chunk
    for (let at = 0; at < chunk.length; ) {
      const size = 1 + Math.floor(this.#random() * Math.max(1, chunk.length / 2))
      yield chunk.subarray(at, at + size)
      at += size
    }
  }

  /** The same every time. */
  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1103515245) + 12345) >>> 0
    return this.#seed / 2 ** 32
  }
}

/** Cuts a direction of a connection up into the messages of its WebSocket; before the upgrade it passes what comes. */
class Frames {
  isUpgraded = false
  /** It began with another request: WebSockets have connections of their own. */
  #isPlain = false
  #head = ''
  // A generator's star would multiply it.
  #rest: Buffer = Buffer.alloc(0);

  /** What was asked for: a program without a terminal, new or known. */
  get isPipedExec(): boolean {
    return this.isUpgraded && /^GET \/v1\/sprites\/[^/]+\/exec(?![^ ]*[?&]tty=true)[^ ]* /.test(this.#head)
  }

  /** `whole`: a message of the WebSocket, pings and the like left out. */
  *split(chunk: Buffer): Generator<{ readonly bytes: Buffer; readonly whole: boolean }> {
    let rest = chunk
    if (this.#isPlain) return yield { bytes: chunk, whole: false }
    if (!this.isUpgraded) {
      this.#head += chunk.toString('latin1')
      const end = this.#head.indexOf('\r\n\r\n')
      const is = /^(HTTP\/1\.1 101|GET [^\r\n]*\r\n(?:[^\r\n]+\r\n)*upgrade: websocket)/i.test(this.#head)
      if (end < 0 || !is) {
        this.#isPlain ||= end >= 0
        return yield { bytes: chunk, whole: false }
      }
      this.isUpgraded = true
      const over = this.#head.length - (end + 4)
      yield { bytes: chunk.subarray(0, chunk.length - over), whole: false }
      rest = chunk.subarray(chunk.length - over)
    }
    this.#rest = Buffer.concat([this.#rest, rest])
    for (let size = lengthOf(this.#rest); size !== undefined && size <= this.#rest.length; size = lengthOf(this.#rest)) {
      const bytes = this.#rest.subarray(0, size)
      this.#rest = this.#rest.subarray(size)
      yield { bytes, whole: ((bytes[0] ?? 0) & 0x0f) < 8 }
    }
  }
}

/** Of the frame that begins there, header included. */
function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined
  const mask = ((bytes[1] ?? 0) & 0x80) === 0 ? 0 : 4
  const short = (bytes[1] ?? 0) & 0x7f
  if (short < 126) return 2 + mask + short
  if (short === 126) return bytes.length < 4 ? undefined : 4 + mask + bytes.readUInt16BE(2)
  return bytes.length < 10 ? undefined : 10 + mask + Number(bytes.readBigUInt64BE(2))
}

function reply({ status, headers = {}, body = '' }: NonNullable<Plan['answer']>): string {
  const lines = Object.entries({ 'content-type': 'application/json', ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' })
  return `HTTP/1.1 ${status} X\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}
