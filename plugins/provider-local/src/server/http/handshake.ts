import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { answerTo, refuse } from './errors.ts'

/** How long a client may take to read why it is refused. */
const REFUSED_MS = 5000
const PROBE_MS = 30_000
/** Waiting to be sent to one who pings, in bytes. */
const PONGS_MAX = 2 * 1024 * 1024

/** 400 for what `ws` would refuse only after a program was started for it. */
export function checkHandshake({ method, headers }: IncomingMessage): void {
  const sound = method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && headers['sec-websocket-version'] === '13' && /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '')
  if (!sound) throw refuse(400, 'bad_upgrade', 'the request is no handshake of a WebSocket')
}

/** The kernel finds out about clients that vanished without a word. */
export function keepAlive(socket: Duplex): void {
  if ('setKeepAlive' in socket && typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, PROBE_MS)
}

/** One who asks on and never reads the answers gets none. */
export function answerPings(client: WebSocket): void {
  client.on('ping', (data) => {
    if (client.bufferedAmount < PONGS_MAX) client.pong(data)
  })
}

/** An ordinary answer on a connection that was to become a WebSocket. */
export function refuseUpgrade(socket: Duplex, error: unknown, more: Readonly<Record<string, string>>): void {
  const { status, body } = answerTo(error)
  const text = `${JSON.stringify(body)}\n`
  const headers = { ...more, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), connection: 'close' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${body.error}\r\n${lines.join('')}\r\n${text}`)
  const late = setTimeout(() => socket.destroy(), REFUSED_MS)
  socket.resume().once('close', () => clearTimeout(late))
}
