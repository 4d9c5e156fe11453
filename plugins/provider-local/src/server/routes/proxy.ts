import type { WebSocket } from 'ws'
import type { ByteStream } from '../../../../../src/contract/index.ts'
import { type Call, parseDocument } from '../http/call.ts'
import { sayGoodbye } from '../http/goodbye.ts'
import { Outlet, isGoodbye } from '../http/outlet.ts'
import type { Routes, Upgrade } from '../http/router.ts'
import type { Served } from '../sprite/served.ts'

const FIRST_MS = 30_000

export const proxyRoutes: Routes = {
  'WS /v1/sprites/:name/proxy': async (call: Call, upgrade: Upgrade) => {
    const served = await call.sprite()
    await connect(await upgrade(), served)
  },
}

/** The first message says where to; then raw bytes both ways, and the end of either is the end. */
async function connect(socket: WebSocket, served: Served): Promise<void> {
  const first = await firstMessage(socket)
  if (first === undefined) return sayGoodbye(socket, 1002, 'no target')
  let tunnel: ByteStream
  let target: string
  let apart = false
  try {
    const { host, port, ends } = targetOf(first)
    apart = ends
    target = `${host}:${port}`
    tunnel = await served.awake((computer) => computer.tunnel(port, { host }))
  } catch (error) {
    socket.send(JSON.stringify({ status: 'error', error: error instanceof Error ? error.message : String(error) }))
    return sayGoodbye(socket, 1000)
  }
  join(socket, tunnel, apart)
  socket.send(JSON.stringify({ status: 'connected', target }))
  socket.resume()
}

/** `apart`: each direction ends on its own, by the word `end`. Ours; without it one end is the end of both. */
function join(socket: WebSocket, tunnel: ByteStream, apart: boolean): void {
  const outlet = new Outlet(socket)
  let turn: Promise<void> = Promise.resolve()
  let waiting = 0
  let open = 2
  const over = () => sayGoodbye(socket, 1000)
  const half = () => void (--open === 0 && socket.close(1000))
  socket.on('message', (data, binary) => {
    if (!binary && apart && String(data) === 'end') turn = turn.then(() => tunnel.sink.end()).then(half, over)
    if (!binary) return
    // One buffer: the default of ws.
    const bytes = data as Buffer
    waiting++
    socket.pause()
    turn = turn.then(() => tunnel.sink.write(bytes)).then(
      () => void (--waiting === 0 && socket.resume()),
      over,
    )
  })
  socket.on('close', (code) => {
    // What was sent before the end gets there, unless the connection broke.
    if (!isGoodbye(code)) return tunnel.close()
    void turn.then(() => tunnel.sink.end()).catch(() => undefined).then(() => tunnel.close())
  })
  const finish = (whole: boolean) => {
    if (!apart || !whole) return socket.close(1000)
    outlet.send('end')
    half()
  }
  void pump(tunnel, outlet).then(finish)
}

/** False: the connection broke, for which there is no other word here than its end. */
async function pump({ source }: ByteStream, outlet: Outlet): Promise<boolean> {
  try {
    for await (const chunk of source) {
      outlet.send(chunk)
      if (!(await outlet.room())) return false
    }
    return true
  } catch {
    return false
  }
}

function firstMessage(socket: WebSocket): Promise<string | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(undefined), FIRST_MS)
    socket.once('close', () => resolve(undefined))
    socket.once('message', (data: Buffer, binary) => {
      clearTimeout(late)
      // What follows at once must wait for the connection.
      socket.pause()
      resolve(binary ? undefined : data.toString())
    })
  })
}

function targetOf(text: string): { readonly host: string; readonly port: number; readonly ends: boolean } {
  const { host = 'localhost', port, ends } = parseDocument(text)
  if (typeof host !== 'string' || host === '' || host.length > 255) throw new Error('host is no name of a host')
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('port is a number from 1 to 65535')
  return { host, port, ends: ends === true }
}
