import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createServer, type Server } from 'node:net'
import { Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

/** On this machine's loopback alone. */
async function greeter(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('hello from the machine\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it has no port')
  return { server, port: address.port }
}

const READ = 'const s = require("net").connect(Number(process.argv[1]), process.argv[2] ?? "127.0.0.1"); s.on("data", (d) => process.stdout.write(d)); s.on("error", (e) => console.log(e.code))'

describe('this machine\'s loopback', () => {
  let amux: Scratch
  let open: Awaited<ReturnType<typeof greeter>>
  let shut: Awaited<ReturnType<typeof greeter>>
  before(async () => {
    ;[open, shut] = [await greeter(), await greeter()]
    amux = await Scratch.make()
    const { status, stderr } = await amux.run(['computer', 'create', '-P', 'local', '--host-port', String(open.port)])
    expect(status, stderr).to.equal(0)
  })
  after(async () => {
    open.server.close()
    shut.server.close()
    await disposeAll(amux)
  })

  const read = async (...args: string[]) => (await amux.run(['computer', 'exec', '--', '/run/amux/node', '-e', READ, ...args])).stdout.trim()

  it('is reached at the ports that were named, and at no other', async () => {
    expect(await read(String(open.port))).to.equal('hello from the machine')
    const { document } = await amux.json<{ readonly details: Readonly<Record<string, string>> }>(['computer', 'info'])
    // Without a network of its own it has all of the machine's, and says so.
    if (document.details['network'] !== 'own') return void expect(document.details['network']).to.match(/this machine/)
    expect(await read(String(shut.port))).to.equal('ECONNREFUSED')
    expect(await read(String(shut.port), '10.0.2.2')).to.match(/^E(CONNREFUSED|NETUNREACH|HOSTUNREACH)$/)
  })

  it('still is after a restart, and under a policy', async () => {
    expect((await amux.run(['computer', 'restart'])).status).to.equal(0)
    await amux.run(['computer', 'network', 'set', 'none'])
    expect(await read(String(open.port))).to.equal('hello from the machine')
  })

  it('refuses what is no port, before anything is made', async () => {
    for (const port of ['0', '65536', 'http']) expect((await amux.run(['computer', 'create', '--new', '-P', 'local', '--host-port', port])).status, port).to.equal(2)
  })
})
