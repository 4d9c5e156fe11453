import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, afterEach, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { type ErrorDocument, Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

interface Line {
  readonly address: string
  readonly port: number
  readonly remote: number
}

/** A server on the computer: says how many bytes it got once its input has ended. Prints its port. */
const SERVER = `
const server = require('net').createServer({ allowHalfOpen: true }, (socket) => {
  let size = 0
  socket.on('data', (chunk) => (size += chunk.length)).on('end', () => socket.end('got ' + size)).on('error', () => {})
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

describe('amux computer proxy', () => {
  let amux: Scratch
  let remote = 0
  const children: ChildProcess[] = []

  before(async () => {
    amux = await Scratch.make()
    await amux.run(['computer', 'create', '-P', 'local'])
    remote = await serve()
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })
  after(() => disposeAll(amux))

  async function serve(): Promise<number> {
    const id = (await amux.run(['computer', 'exec', '-d', '--', 'node', '-e', SERVER])).stdout.trim()
    for (;;) {
      const { stdout } = await amux.run(['computer', 'session', 'logs', id])
      if (stdout.trim() !== '') return Number(stdout)
    }
  }

  async function proxy(count: number, ...args: string[]): Promise<{ readonly lines: readonly Line[]; readonly child: ChildProcess }> {
    const child = spawn(process.execPath, [bin, 'computer', 'proxy', '--json', ...args], { cwd: amux.project, env: amux.env(), stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(child)
    let text = ''
    for await (const chunk of child.stdout ?? []) {
      text += String(chunk)
      if (text.split('\n').length > count) break
    }
    return { lines: text.trim().split('\n').map((line) => JSON.parse(line) as Line), child }
  }

  it('lists what the computer itself listens on, and nothing of this machine', async () => {
    const stranger = createServer().listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    const { port } = stranger.address() as AddressInfo
    const { document } = await amux.json<readonly { readonly port: number; readonly program: string }[]>(['computer', 'port', 'ls'])
    expect(document.map((row) => row.port)).to.include(remote).and.not.include(port)
    expect(document.find((row) => row.port === remote)?.program).to.equal('node')
    expect((await amux.run(['computer', 'port', 'ls', '-q'])).stdout.trim().split('\n')).to.include(String(remote)).and.not.include(String(port))
    stranger.close()
  })

  async function talk(port: number, bytes: Buffer): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(bytes)
    let answer = ''
    for await (const chunk of socket) answer += String(chunk)
    return answer
  }

  it('passes connections on, several at once, half-closed ones too, on loopback', async () => {
    const { lines } = await proxy(2, '-p', `:${remote}`, '-p', `0:${remote}`)
    expect(lines.map(({ address, remote: port }) => ({ address, port }))).to.deep.equal([1, 2].map(() => ({ address: '127.0.0.1', port: remote })))
    const answers = await Promise.all(lines.flatMap(({ port }) => [0, 1, 70_000, 3_000_000].map((size) => talk(port, Buffer.alloc(size)))))
    expect(answers).to.deep.equal([0, 1, 70_000, 3_000_000, 0, 1, 70_000, 3_000_000].map((size) => `got ${size}`))
  })

  it('goes on while the computer is restarted', async () => {
    const { lines } = await proxy(1, '-p', `:${remote}`)
    expect(await talk(lines[0]?.port ?? 0, Buffer.alloc(5))).to.equal('got 5')
    expect((await amux.run(['computer', 'restart'])).status).to.equal(0)
    remote = await serveAt(remote)
    for (let answer = ''; answer !== 'got 6'; ) answer = await talk(lines[0]?.port ?? 0, Buffer.alloc(6)).catch(() => '')
  })

  async function serveAt(port: number): Promise<number> {
    await amux.run(['computer', 'exec', '-d', '--', 'node', '-e', SERVER.replace('listen(0', `listen(${port}`)])
    return port
  }

  it('ends with Ctrl-C, and gives the port back', async () => {
    const { lines, child } = await proxy(1, '-p', `:${remote}`)
    child.kill('SIGINT')
    const [status] = (await once(child, 'exit')) as [number]
    expect(status).to.equal(130)
    const server = createServer().listen(lines[0]?.port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
  })

  it('says whose port is taken, and what else to type', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'proxy', '-p', `${port}:80`])
    server.close()
    expect({ status, code: document.error.code }).to.deep.equal({ status: 6, code: 'conflict' })
    expect(document.error.message).to.contain(`port ${port} is taken`)
    expect(document.error.hint).to.contain('-p')
  })

  for (const bad of ['x', '99999', '80:0', 'host:80:80', '1:2:3:4', '']) {
    it(`refuses -p ${JSON.stringify(bad)}`, async () => {
      const { status, document } = await amux.json<ErrorDocument>(['computer', 'proxy', '-p', bad])
      expect({ status, code: document.error.code }).to.deep.equal({ status: 2, code: 'invalid_argument' })
    })
  }

  it('stands beside the list of what listens', async () => {
    const { status, document } = await amux.json<readonly { port: number; address: string }[]>(['computer', 'port', 'ls'])
    expect(status).to.equal(0)
    expect(document.some(({ port, address }) => port === remote && address === '127.0.0.1')).to.equal(true)
  })
})
