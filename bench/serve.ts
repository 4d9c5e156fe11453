/** Programs through the server of local computers, over raw WebSockets: how soon, how fast, with how much memory. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { Scratch } from '../test/support/amux.ts'
import { type Row, median, ms, race } from './measure.ts'

const ROUNDS = 21
const BIG = 1e9
const SPEED = 200
const MEMORY = 200

export default async function serve(): Promise<readonly Row[]> {
  const scratch = await Scratch.make()
  try {
    const { document: server } = await scratch.json<{ readonly url: string; readonly pid: number; readonly token_file: string }>(['local', 'server', 'start', '--listen', '127.0.0.1:0'])
    const headers = { authorization: `Bearer ${readFileSync(server.token_file, 'utf8').trim()}` }
    const sprites = `${server.url}/v1/sprites`
    await fetch(sprites, { method: 'POST', headers, body: '{"name":"bench"}' })
    const open = (...argv: readonly string[]) => {
      const query = argv.map((word) => `cmd=${encodeURIComponent(word)}`).join('&')
      return new WebSocket(`${sprites.replace(/^http/, 'ws')}/bench/exec?${query}`, { headers, perMessageDeflate: false, skipUTF8Validation: true })
    }
    try {
      return [await short(open), await fast(open), await slow(open, server.pid)]
    } finally {
      await fetch(`${sprites}/bench`, { method: 'DELETE', headers })
    }
  } finally {
    await scratch.run(['local', 'server', 'stop'])
    await scratch.dispose()
  }
}

type Open = (...argv: readonly string[]) => WebSocket

async function short(open: Open): Promise<Row> {
  const { one } = await race(ROUNDS, { one: () => whole(open('true')).then(() => undefined) })
  return { what: 'served: true, dial to status', ours: ms(one), peer: '', target: '<= 30 ms', met: one <= 30 }
}

async function fast(open: Open): Promise<Row> {
  const speeds: number[] = []
  for (let round = 0; round < 3; round++) {
    const start = performance.now()
    const bytes = await whole(open('head', '-c', String(BIG), '/dev/zero'))
    if (bytes !== BIG) throw new Error(`${bytes} bytes of ${BIG} came`)
    speeds.push(bytes / 1000 / (performance.now() - start))
  }
  const speed = median(speeds)
  return { what: 'served: head -c 1G /dev/zero', ours: `${speed.toFixed(0)} MB/s`, peer: '', target: `>= ${SPEED} MB/s`, met: speed >= SPEED }
}

/** A client that reads nothing while the program would write for ever. */
async function slow(open: Open, pid: number): Promise<Row> {
  const socket = open('yes')
  await once(socket, 'open')
  socket.pause()
  let most = 0
  for (let look = 0; look < 30; look++) {
    most = Math.max(most, Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000)
    await sleep(100)
  }
  socket.terminate()
  return { what: "served: server's memory, client reads nothing", ours: `${most.toFixed(0)} MB`, peer: '', target: `< ${MEMORY} MB`, met: most < MEMORY }
}

/** How many bytes of output came until its end. */
async function whole(socket: WebSocket): Promise<number> {
  let bytes = 0
  let status: number | undefined
  socket.on('message', (data: Buffer, binary) => {
    if (binary && data[0] === 1) bytes += data.length - 1
    if (binary && data[0] === 3) status = data[1]
  })
  await once(socket, 'close')
  if (status !== 0) throw new Error(`it ended with ${status}`)
  return bytes
}
