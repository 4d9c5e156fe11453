/** Our client of the Sprites API against a raw WebSocket on the same server, and the proxy against one relay beside it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type Socket, connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { ConnectContext } from '../src/contract/index.ts'
import { Client } from '../plugins/provider-sprites/src/service/client.ts'
import { openExec } from '../plugins/provider-sprites/src/exec/exec.ts'
import { Sprite } from '../plugins/provider-sprites/src/sprite.ts'
import { openTunnel } from '../plugins/provider-sprites/src/tunnel.ts'
import { Scratch } from '../test/support/amux.ts'
import { type Row, median, ms, race } from './measure.ts'

const ROUNDS = 41
const BIG = 1e9
const MEMORY = 200
const SPEED = 200
/** Says everything back; with half-closed connections, and to any number at once. */
const ECHO = `require('net').createServer({allowHalfOpen:true}, (s) => { s.on('error', () => {}); s.pipe(s) }).listen(7000, '127.0.0.1', () => console.log('up'))`

interface At {
  readonly sprite: Sprite
  readonly pid: number
  raw(...argv: readonly string[]): WebSocket
}

export default async function sprites(): Promise<readonly Row[]> {
  const scratch = await Scratch.make()
  try {
    const { document: server } = await scratch.json<{ readonly url: string; readonly pid: number; readonly token_file: string }>(['local', 'server', 'start', '--listen', '127.0.0.1:0'])
    const token = readFileSync(server.token_file, 'utf8').trim()
    const client = new Client({ url: server.url, token, debug: () => {} })
    await client.json('POST', '/v1/sprites', { body: { name: 'bench' } })
    const raw = (...argv: readonly string[]) => {
      const query = argv.map((word) => `cmd=${encodeURIComponent(word)}`).join('&')
      return new WebSocket(`${server.url.replace(/^http/, 'ws')}/v1/sprites/bench/exec?${query}`, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false })
    }
    // What is asked of a context here: where to say what goes on.
    const sprite = new Sprite('bench', client, { debug: () => {} } as unknown as ConnectContext, false)
    const at = { sprite, pid: server.pid, raw }
    try {
      return [await short(at), ...(await long(at)), await relay(at), await many(at)]
    } finally {
      await client.json('DELETE', '/v1/sprites/bench')
      client.close()
    }
  } finally {
    await scratch.run(['local', 'server', 'stop'])
    await scratch.dispose()
  }
}

async function short({ sprite, raw }: At): Promise<Row> {
  const { ours, peer } = await race(ROUNDS, {
    ours: async () => {
      const program = await openExec(sprite, ['true'])
      await program.exit
    },
    peer: async () => {
      const socket = raw('true')
      await new Promise<void>((resolve) => socket.on('message', (data: Buffer, binary) => void (binary && data[0] === 3 && resolve())))
      socket.close()
    },
  })
  return { what: 'sprites: true', ours: ms(ours), peer: `raw WebSocket: ${ms(peer)}`, ratio: ours / peer, target: '<= 1.2 x', met: ours / peer <= 1.2 }
}

async function long({ sprite, pid }: At): Promise<readonly Row[]> {
  const speeds: number[] = []
  for (let round = 0; round < 3; round++) {
    const start = performance.now()
    const program = await openExec(sprite, ['head', '-c', String(BIG), '/dev/zero'])
    let bytes = 0
    for await (const chunk of program.stdout) bytes += chunk.length
    if (bytes !== BIG) throw new Error(`${bytes} bytes of ${BIG} came`)
    speeds.push(bytes / 1000 / (performance.now() - start))
  }
  const program = await openExec(sprite, ['head', '-c', String(BIG), '/dev/zero'])
  const reader = program.stdout[Symbol.asyncIterator]()
  let [here, there] = [0, 0]
  for (let look = 0; look < 30; look++) {
    await reader.next()
    here = Math.max(here, memory('self'))
    there = Math.max(there, memory(String(pid)))
    await sleep(100)
  }
  await reader.return?.()
  await program.kill('SIGKILL')
  const speed = median(speeds)
  return [
    { what: 'sprites: 1 GB of output', ours: `${speed.toFixed(0)} MB/s`, peer: '', target: `>= ${SPEED} MB/s`, met: speed >= SPEED },
    { what: 'sprites: memory with a slow reader', ours: `${here.toFixed(0)} MB`, peer: `server: ${there.toFixed(0)} MB`, target: `< ${MEMORY} MB each`, met: here < MEMORY && there < MEMORY },
  ]
}

/** The same bytes both ways at once, through the tunnel and through one relay on this machine. */
async function relay(at: At): Promise<Row> {
  const stop = await serve(at.sprite)
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const port = (echo.address() as { port: number }).port
  const socat = spawn('socat', ['TCP-LISTEN:17999,reuseaddr,fork,bind=127.0.0.1', `TCP:127.0.0.1:${port}`], { stdio: 'ignore' })
  await sleep(500)
  try {
    const tunnel = await openTunnel(at.sprite, 7000)
    const ours = await timed(async () => {
      const [count] = await Promise.all([countAll(tunnel.source), feed((chunk) => tunnel.sink.write(chunk)).then(() => tunnel.sink.end())])
      return count
    })
    const socket = connect({ port: 17999, host: '127.0.0.1', allowHalfOpen: true })
    await once(socket, 'connect')
    const peer = await timed(async () => {
      const [count] = await Promise.all([countAll(socket), feed((chunk) => written(socket, chunk)).then(() => socket.end())])
      return count
    })
    return { what: 'sprites: proxy, 1 GB each way at once', ours: `${ours.toFixed(0)} MB/s`, peer: `socat: ${peer.toFixed(0)} MB/s`, ratio: ours / peer, target: '>= 0.5 x', met: ours / peer >= 0.5 }
  } finally {
    end(socat)
    echo.close()
    await stop()
  }
}

async function many({ sprite }: At): Promise<Row> {
  const stop = await serve(sprite)
  const tunnels = await Promise.all(Array.from({ length: 200 }, () => openTunnel(sprite, 7000)))
  const sums = await Promise.all(
    tunnels.map(async (tunnel, n) => {
      const reading = countAll(tunnel.source)
      await tunnel.sink.write(Buffer.alloc(10_000, n))
      await tunnel.sink.end()
      return reading
    }),
  )
  const whole = sums.filter((sum) => sum === 10_000).length
  for (const tunnel of tunnels) tunnel.close()
  await stop()
  return { what: 'sprites: proxy, connections at once', ours: String(whole), peer: '', target: '200', met: whole === 200 }
}

async function serve(sprite: Sprite): Promise<() => Promise<void>> {
  const program = await openExec(sprite, ['node', '-e', ECHO])
  await program.stdout[Symbol.asyncIterator]().next()
  return () => program.kill('SIGKILL')
}

async function timed(work: () => Promise<number>): Promise<number> {
  const start = performance.now()
  const bytes = await work()
  if (bytes !== BIG) throw new Error(`${bytes} bytes of ${BIG} came back`)
  return bytes / 1000 / (performance.now() - start)
}

async function feed(write: (chunk: Buffer) => Promise<unknown>): Promise<void> {
  const chunk = Buffer.alloc(250_000, 7)
  for (let sent = 0; sent < BIG; sent += chunk.length) await write(chunk)
}

async function countAll(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of source) bytes += chunk.length
  return bytes
}

async function written(socket: Socket, chunk: Buffer): Promise<void> {
  if (!socket.write(chunk)) await once(socket, 'drain')
}

function memory(pid: string): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000
}

function end(child: ChildProcess): void {
  child.kill('SIGKILL')
}
