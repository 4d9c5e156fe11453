import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { mkdtempSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { portTaken, publishedBy } from '../src/publish.ts'
import { hasEngine } from './engine.ts'
import { failure, type Lab, lab, until } from './support.ts'

describe('published ports', () => {
  it('are told with what the engine chose', () => {
    const any = { address: '127.0.0.1', local: 0, remote: 80 }
    const fixed = { ...any, local: 8080 }
    const ports = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }, { HostIp: '127.0.0.1', HostPort: '32768' }] }
    expect(publishedBy(ports, [any, fixed])).to.deep.equal([{ ...any, local: 32768 }, fixed])
    expect(publishedBy({}, [any])).to.deep.equal([any])
  })

  it('that are taken are known by what engines say', () => {
    for (const [said, where] of [
      ['driver failed: Bind for 127.0.0.1:80 failed: port is already allocated', '127.0.0.1:80'],
      ['Error starting userland proxy: listen tcp4 127.0.0.1:81: bind: address already in use', '127.0.0.1:81'],
    ] as const) expect(portTaken('one', said, undefined)).to.include({ code: 'conflict' }).and.to.have.property('message').that.includes(where)
    expect(portTaken('one', 'no such image', undefined)).to.equal(undefined)
  })
})

if (hasEngine) {
  describe('a Docker computer with published ports', () => {
    let bench: Lab
    before(async function () {
      this.timeout(600_000)
      bench = await lab()
    })
    after(() => bench.end())

    it('is not made where one is taken', async () => {
      const { server, port } = await listening()
      const name = `lab-taken-${process.pid}`
      try {
        expect(await failure(bench.provider.create({ name, labels: {}, publish: [{ address: '127.0.0.1', local: port, remote: 80 }] }))).to.include({ code: 'conflict' })
        expect(await failure(bench.provider.get(name))).to.include({ code: 'not_found' })
      } finally {
        server.close()
      }
    }).timeout(120_000)

    it('has them through a stop and a move of its project', async () => {
      const from = mkdtempSync(join(bench.dir, 'from-'))
      const to = `${from}-moved`
      const { server, port } = await listening()
      server.close()
      const publish = [{ address: '127.0.0.1', local: port, remote: 4000 }]
      const computer = await bench.create({ project: { path: from, name: 'from' }, publish })
      const serve = async () => {
        await computer.sessions.start(['node', '-e', `require('net').createServer((s) => s.end('hello')).listen(4000)`], { detached: true })
        await until('the port answers', async () => (await greeting(port)) === 'hello')
      }
      await serve()
      expect((await computer.info()).published).to.deep.equal(publish)
      await computer.stop()
      renameSync(from, to)
      await computer.start({ project: { path: to, name: 'from' } })
      expect(await computer.info()).to.deep.include({ workspace: to, published: publish })
      await serve()
    }).timeout(240_000)
  })
}

async function listening(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}

function greeting(port: number): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (bytes) => (said += bytes.toString())).on('error', () => resolve('')).on('close', () => resolve(said))
  })
}
