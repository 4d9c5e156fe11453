/** A program behind the fence that does as it is told over Node's own channel: asks, connects, tries again and again. */
import { createSocket } from 'node:dgram'
import { createServer, connect, isIPv6, type Socket } from 'node:net'
import { readAnswer, writeQuestion, type Answered } from './world-asking.ts'

export interface Question {
  readonly name: string
  readonly type?: 'A' | 'AAAA' | 'TXT' | 'CNAME' | 'AXFR'
  readonly server?: string
  readonly tcp?: boolean
  readonly timeout?: number
}

const held = new Map<number, { readonly socket: Socket; bytes: number; ended?: string }>()
const probes = new Map<number, { tries: number; got: number; stop: boolean }>()
let last = 0

function ask({ name, type = 'A', server = '9.9.9.9', tcp, timeout = 8000 }: Question): Promise<Answered> {
  const id = Math.floor(Math.random() * 65536)
  const message = writeQuestion(name, type, id)
  return new Promise((resolve) => {
    const timer = setTimeout(() => done({ error: 'timeout' }), timeout)
    const udp = tcp ? undefined : createSocket(isIPv6(server) ? 'udp6' : 'udp4')
    const socket = tcp ? connect(53, server) : undefined
    const done = (answered: Answered): void => {
      clearTimeout(timer)
      udp?.close()
      socket?.destroy()
      resolve(answered)
    }
    udp?.on('error', (error: NodeJS.ErrnoException) => done({ error: error.code ?? error.message }))
    udp?.on('message', (reply) => done(readAnswer(reply)))
    udp?.connect(53, server, () => udp.send(message, (error) => error && done({ error: (error as NodeJS.ErrnoException).code ?? '' })))
    let input = Buffer.alloc(0)
    socket?.on('error', (error: NodeJS.ErrnoException) => done({ error: error.code ?? error.message }))
    socket?.on('close', () => done({ error: 'closed' }))
    socket?.on('data', (chunk) => {
      input = Buffer.concat([input, chunk])
      if (input.length >= 2 && input.length >= 2 + input.readUInt16BE(0)) done(readAnswer(input.subarray(2)))
    })
    socket?.on('connect', () => socket.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])))
  })
}

/** `ok`, or the error's code. */
function reach(host: string, port: number, hold = false, localPort?: number): Promise<{ readonly result: string; readonly id: number }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(localPort === undefined ? {} : { localPort }), timeout: 4000 })
    const id = ++last
    const entry: { socket: Socket; bytes: number; ended?: string } = { socket, bytes: 0 }
    const say = (result: string): void => {
      resolve({ result, id })
      if (hold && result === 'ok') held.set(id, entry)
      else socket.destroy()
    }
    socket.on('connect', () => (socket.setTimeout(0), say('ok')))
    socket.on('timeout', () => say('timeout'))
    socket.on('error', (error: NodeJS.ErrnoException) => ((entry.ended = error.code ?? error.message), say(entry.ended)))
    socket.on('close', () => (entry.ended ??= 'closed'))
    if (hold) socket.on('data', (chunk) => (entry.bytes += chunk.length))
  })
}

/** Whether `host` echoes a datagram within the time: `ok`, `timeout`, or the error's code. */
function datagram(host: string, port: number, timeout = 500): Promise<string> {
  const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  return new Promise<string>((resolve) => {
    udp.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    udp.on('message', () => resolve('ok'))
    udp.connect(port, host, () => udp.send('amux'))
    setTimeout(resolve, timeout, 'timeout')
  }).finally(() => udp.close())
}

async function probe(id: number, host: string, port: number): Promise<void> {
  const state = { tries: 0, got: 0, stop: false }
  probes.set(id, state)
  while (!state.stop) {
    const [tcp, udp] = await Promise.all([reach(host, port), datagram(host, 7, 10)])
    state.tries++
    if (tcp.result === 'ok' || udp === 'ok') state.got++
  }
}

/** Many at once; how many were answered, by code. */
async function flood(name: string, count: number, width: number): Promise<Record<string, number>> {
  const codes: Record<string, number> = {}
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const answered = await ask({ name: name.replace('#', String(next++)) })
      const code = answered.error ?? String(answered.rcode)
      codes[code] = (codes[code] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return codes
}

/** Milliseconds that one lookup takes, one after another from one socket. */
async function clock(name: string, server: string, count: number): Promise<number> {
  const udp = createSocket('udp4')
  await new Promise<void>((resolve) => udp.connect(53, server, resolve))
  const message = writeQuestion(name, 'A', 1)
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const begun = performance.now()
    udp.send(message)
    await new Promise((resolve) => udp.once('message', resolve))
    times.push(performance.now() - begun)
  }
  udp.close()
  return times.toSorted((a, b) => a - b)[count >> 1] ?? 0
}

function ended(id: number): Promise<string> {
  const entry = held.get(id)
  return new Promise((resolve) => (entry && entry.ended === undefined ? entry.socket.once('close', () => resolve(entry.ended ?? '')) : resolve('gone')))
}

function listen(port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket))
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, '0.0.0.0', () => resolve('ok'))
  })
}

const acts = {
  ask,
  flood: (told: { name: string; count: number; width: number }) => flood(told.name, told.count, told.width),
  reach: (told: { host: string; port: number }) => reach(told.host, told.port).then(({ result }) => result),
  hold: (told: { host: string; port: number; localPort?: number }) => reach(told.host, told.port, true, told.localPort),
  datagram: (told: { host: string; port: number; timeout?: number }) => datagram(told.host, told.port, told.timeout),
  clock: (told: { name: string; server: string; count: number }) => clock(told.name, told.server, told.count),
  ended: (told: { id: number }) => ended(told.id),
  listen: (told: { port: number }) => listen(told.port),
  write: (told: { id: number; text: string }) => held.get(told.id)?.socket.write(told.text),
  half: (told: { id: number }) => held.get(told.id)?.socket.end(),
  state: (told: { id: number }) => ({ bytes: held.get(told.id)?.bytes ?? 0, ended: held.get(told.id)?.ended }),
  drop: (told: { id: number }) => held.get(told.id)?.socket.destroy(),
  probe: (told: { host: string; port: number }) => {
    const id = ++last
    void probe(id, told.host, told.port)
    return id
  },
  tries: (told: { id: number; stop?: boolean }) => {
    const { tries = 0, got = 0 } = probes.get(told.id) ?? {}
    if (told.stop) Object.assign(probes.get(told.id) ?? {}, { stop: true })
    return { tries, got }
  },
}

process.on('message', async (told: { readonly id: number; readonly act: keyof typeof acts; readonly told: never }) => {
  const value = await acts[told.act](told.told)
  process.send?.({ id: told.id, value: typeof value === 'object' ? { ...value } : value })
})
process.on('disconnect', () => process.exit())
