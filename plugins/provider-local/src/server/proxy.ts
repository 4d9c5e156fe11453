import type { WebSocket } from 'ws'
import type { ByteStream } from '../../../../src/contract/index.ts'
import { type Call, parseDocument } from './call.ts'
import { Outlet } from './outlet.ts'
import type { Routes, Upgrade } from './router.ts'
import type { Served } from './served.ts'

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
  if (first === undefined) return socket.close(1002, 'no target')
  let tunnel: ByteStream
  let target: string
  try {
    const { host, port } = targetOf(first)
    target = `${host}:${port}`
    tunnel = await served.awake((computer) => computer.tunnel(port, { host }))
  } catch (error) {
    socket.send(JSON.stringify({ status: 'error', error: error instanceof Error ? error.message : String(error) }))
    return socket.close(1000)
  }
  join(socket, tunnel)
  socket.send(JSON.stringify({ status: 'connected', target }))
  socket.resume()
}

function join(socket: WebSocket, tunnel: ByteStream): void {
  const outlet = new Outlet(socket)
  let turn: Promise<void> = Promise.resolve()
  let waiting = 0
  socket.on('message', (data, binary) => {
    if (!binary) return
    // One buffer: the default of ws.
    const bytes = data as Buffer
    waiting++
    socket.pause()
    turn = turn.then(() => tunnel.sink.write(bytes)).then(
      () => void (--waiting === 0 && socket.resume()),
      () => socket.close(1000),
    )
  })
  socket.on('close', (code) => {
    // What was sent before the end gets there, unless the connection broke.
    if (code !== 1000 && code !== 1001) return tunnel.close()
    void turn.then(() => tunnel.sink.end()).catch(() => undefined).then(() => tunnel.close())
  })
  void pump(tunnel, outlet).finally(() => socket.close(1000))
}

async function pump({ source }: ByteStream, outlet: Outlet): Promise<void> {
  try {
    for await (const chunk of source) {
      outlet.send(chunk)
      if (!(await outlet.room())) return
    }
  } catch {
    // A broken connection ends like any: there is no other word for it here.
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

function targetOf(text: string): { readonly host: string; readonly port: number } {
  const { host = 'localhost', port } = parseDocument(text)
  if (typeof host !== 'string' || host === '' || host.length > 255) throw new Error('host is no name of a host')
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('port is a number from 1 to 65535')
  return { host, port }
}
