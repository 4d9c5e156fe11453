import type { OnReadOpts, Socket } from 'node:net'
import { Frame, FRAME_MAX } from '../../protocol/index.ts'
import type { Guest } from '../guest.ts'
import { header, HEADER, packet, PacketDecoder } from '../../native/index.ts'
import { GuestError } from '../wire.ts'
import { abandon, connected, dial, type Target } from './connect.ts'

const FIRST = 2048
const PIECE = 128 * 1024
const PROBE_MS = 1000

/** The same on a socket of its own. A unix socket knows no reset: whoever ends without saying `eof` broke off. */
export async function serveTunnel(guest: Guest, client: Socket, target: Target): Promise<void> {
  // It is told as a tunnel.
  guest.clients.discount(client)
  const program = dial(target, download(client, () => program))
  const upload = new Upload(client, program)
  client.once('close', () => {
    if (!upload.ended || !client.writableFinished) abandon(program)
  })
  client.once('end', () => {
    if (!upload.ended) client.destroy()
  })
  await connected(guest, program, target)
  program.on('error', () => client.destroy())
  if (client.destroyed) return abandon(program)
  client.write(packet(Frame.open))
  program.once('end', () => client.end(packet(Frame.eof)))
}

/**
 * What the program says, at the client's pace. Always in the same memory, behind room for the header: to take and free
 * it for each piece costs more than everything else. Most tunnels never need much.
 */
function download(client: Socket, program: () => Socket): OnReadOpts {
  let frame = Buffer.allocUnsafe(HEADER + FIRST)
  let next = frame
  const free = (): void => void program().resume()
  return {
    buffer: () => (frame = next).subarray(HEADER),
    callback(length) {
      if (frame.length === HEADER + FIRST && length === FIRST) next = Buffer.allocUnsafeSlow(HEADER + PIECE)
      frame.writeUInt8(Frame.stdout, 0)
      frame.writeUInt32BE(length, 1)
      client.write(frame.subarray(0, HEADER + length))
      // Most often the kernel has all of it by now.
      if (client.writableLength === 0) return true
      client.write('', free)
      return false
    },
  }
}

/** What the client says, at the program's pace. */
class Upload {
  ended = false
  readonly #client: Socket
  readonly #program: Socket
  #probe: NodeJS.Timeout | undefined

  constructor(client: Socket, program: Socket) {
    this.#client = client
    this.#program = program
    const decoder = new PacketDecoder({ packet: (type) => this.#packet(type), piece: (bytes) => void program.write(bytes) }, FRAME_MAX, Frame.stdin)
    client.on('data', (chunk: Buffer) => this.#take(decoder, chunk))
    program.on('drain', () => this.#go())
    client.once('close', () => clearInterval(this.#probe))
  }

  #take(decoder: PacketDecoder, chunk: Buffer): void {
    try {
      decoder.push(chunk)
    } catch {
      this.#client.destroy()
    }
    if (this.#program.writableNeedDrain) this.#wait()
  }

  #packet(type: number): void {
    if (type !== Frame.eof) throw new GuestError('invalid_argument', `a tunnel knows no frame ${type}`)
    this.ended = true
    this.#program.end()
  }

  /** Who is not read is not seen to leave: it is when nothing can be said to it. */
  #wait(): void {
    this.#client.pause()
    this.#probe ??= setInterval(() => {
      if (this.#client.writable && this.#client.writableLength === 0) this.#client.write(header(Frame.stdout, 0))
    }, PROBE_MS)
  }

  #go(): void {
    clearInterval(this.#probe)
    this.#probe = undefined
    this.#client.resume()
  }
}
