/**
 * What a world has outside the fence, run in its namespace: name servers, and hosts that echo, serve HTTP, and send
 * without end. Told what to do over Node's own channel; ends with it.
 */
import { createSocket } from 'node:dgram'
import { createServer as createHttp } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { answerTo, readQuestion, type Zones } from './world-zones.ts'

export interface Outside {
  readonly servers: readonly string[]
  readonly decoys: readonly string[]
  readonly hosts: readonly string[]
}

let zones: Zones = {}
const asked = new Map<string, number>()
let decoyed = 0

function answer(message: Buffer, decoy: boolean, byTcp: boolean, send: (reply: Buffer) => void): void {
  const name = readQuestion(message)?.name.toLowerCase() ?? ''
  if (decoy) decoyed++
  else asked.set(name, (asked.get(name) ?? 0) + 1)
  const reply = answerTo(zones, message, byTcp)
  if (reply) setTimeout(send, zones[name]?.delay ?? 0, reply)
}

function nameServer(address: string, decoy: boolean): void {
  const udp = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 })
  udp.on('message', (message, from) => answer(message, decoy, false, (reply) => udp.send(reply, from.port, from.address)))
  udp.bind(53, address)
  createServer((socket) => {
    let input = Buffer.alloc(0)
    quiet(socket).on('data', (chunk) => {
      input = Buffer.concat([input, chunk])
      while (input.length >= 2 && input.length >= 2 + input.readUInt16BE(0)) {
        const length = input.readUInt16BE(0)
        answer(input.subarray(2, 2 + length), decoy, true, (reply) => socket.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply])))
        input = input.subarray(2 + length)
      }
    })
  }).listen(53, address)
}

function quiet(socket: Socket): Socket {
  return socket.on('error', () => socket.destroy())
}

/** 7 and 443: echo. 80: says who it is. 19: sends for as long as somebody reads. UDP 7: echo. */
function hosts(addresses: readonly string[]): void {
  for (const port of [7, 443]) createServer({ allowHalfOpen: true }, (socket) => quiet(socket).pipe(socket)).listen(port, '::')
  createHttp((request, response) => response.end(`${request.socket.localAddress?.replace('::ffff:', '')}\n`)).listen(80, '::')
  const chunk = Buffer.alloc(262144, 'amux')
  createServer((socket) => {
    const send = (): void => {
      while (!socket.destroyed && socket.write(chunk)) continue
    }
    quiet(socket).on('drain', send)
    send()
  }).listen(19, '::')
  for (const address of addresses) {
    const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    udp.on('message', (message, from) => udp.send(message, from.port, from.address))
    udp.bind(7, address)
  }
}

process.on('message', (told: { readonly id: number; readonly zones?: Zones; readonly start?: Outside }) => {
  if (told.zones) zones = told.zones
  if (told.start) {
    for (const address of told.start.servers) nameServer(address, false)
    for (const address of told.start.decoys) nameServer(address, true)
    hosts(told.start.hosts)
  }
  setImmediate(() => process.send?.({ id: told.id, value: { asked: Object.fromEntries(asked), decoyed } }))
})
process.on('disconnect', () => process.exit())
