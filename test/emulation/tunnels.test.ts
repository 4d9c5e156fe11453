import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import type { ByteStream, IdleState } from '../../src/contract/index.ts'
import { dialUnix, GuestClient } from '../../src/emulation/client/index.ts'
import { forward, type Listening } from '../../src/ports/index.ts'
import { isPourable } from '../../src/util/pour.ts'
import { until } from '../guest/lab.ts'
import { Solo } from '../guest/solo.ts'

describe('tunnels to a guest on this machine', () => {
  let solo: Solo
  const servers: Server[] = []
  const listeners: Listening[] = []
  const clients: GuestClient[] = []
  const problems: string[] = []
  before(async () => {
    solo = await Solo.open()
  })
  after(async () => {
    for (const listener of listeners) listener.close()
    for (const client of clients) client.close()
    for (const server of servers) server.close()
    await solo.close()
  })

  function client(path = join(dirname(solo.socket), 'direct.sock')): GuestClient {
    const made = new GuestClient({ dial: () => dialUnix(solo.socket), accept: () => Promise.resolve(true), direct: () => path })
    clients.push(made)
    return made
  }

  async function listen(serve: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined)
      serve(socket)
    })
    servers.push(server)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** A port here that leads to that one there. */
  async function lead(remote: number, through = client()): Promise<number> {
    const listening = await forward(through, { address: '127.0.0.1', local: 0, remote, host: '127.0.0.1' }, { onProblem: (message) => problems.push(message) })
    listeners.push(listening)
    return listening.local
  }

  const dial = (port: number): Socket => connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const code = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'nothing', (error: unknown) => error instanceof Object && 'code' in error && error.code)
  const drain = async ({ source }: ByteStream): Promise<string> => text(source)

  it('have a socket each', async () => {
    const stream = await client().tunnel(await listen((socket) => socket.end('hello')))
    expect(isPourable(stream)).to.equal(true)
    expect(await drain(stream)).to.equal('hello')
    stream.close()
  })

  it('carry millions of bytes both ways, whole', async () => {
    const port = await lead(await listen((socket) => socket.pipe(socket)))
    const sent = randomBytes(30_000_001)
    const socket = dial(port)
    socket.end(sent)
    expect((await buffer(socket)).equals(sent)).to.equal(true)
    const stream = await client().tunnel(await listen((program) => program.pipe(program)))
    const back = buffer(stream.source)
    for (let at = 0; at < sent.length; at += 1_000_003) await stream.sink.write(sent.subarray(at, at + 1_000_003))
    await stream.sink.end()
    expect((await back).equals(sent)).to.equal(true)
  })

  it('wait for a reader that is slow, with what came before', async () => {
    const sent = randomBytes(8_000_000)
    const written = { bytes: 0 }
    const port = await lead(
      await listen((socket) => {
        for (let at = 0; at < sent.length; at += 50_000) socket.write(sent.subarray(at, at + 50_000), () => (written.bytes += 50_000))
        socket.end()
      }),
    )
    const socket = dial(port)
    await once(socket, 'connect')
    for (let before = -1; before !== written.bytes || before === 0; await new Promise((resolve) => setTimeout(resolve, 200))) before = written.bytes
    expect((await buffer(socket)).equals(sent)).to.equal(true)
  })

  it('end in each direction on their own', async () => {
    const answering = await lead(await listen((socket) => void text(socket).then((said) => socket.end(`heard ${said}`))))
    const asking = dial(answering)
    asking.end('question')
    expect(await text(asking)).to.equal('heard question')

    let heard = ''
    const ending = await lead(
      await listen((socket) => {
        socket.end('I am done')
        void text(socket).then((said) => (heard = said))
      }),
    )
    const talking = dial(ending)
    expect(await text(talking)).to.equal('I am done')
    talking.end('but I am not')
    await until(() => heard !== '')
    expect(heard).to.equal('but I am not')
  })

  it('say when nothing listens, or nobody is, or it is no port', async () => {
    const port = await listen(() => undefined)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const through = client()
    const refused = await through.tunnel(port).catch((error: unknown) => error)
    expect(refused).to.include({ code: 'unavailable', message: `nothing listens on 127.0.0.1:${port}`, hint: 'amux computer port ls' })
    expect(await code(through.tunnel(1, { host: 'no-such-host.invalid' }))).to.be.oneOf(['not_found', 'unavailable'])
    for (const bad of [0, -1, 65_536, 1.5, Number.NaN]) expect(await code(through.tunnel(bad)), String(bad)).to.equal('invalid_argument')
    expect(await code(through.tunnel(port, { signal: AbortSignal.abort() }))).to.equal('aborted')
    await once(connect(await lead(port), '127.0.0.1').resume(), 'close')
    expect(problems.splice(0)).to.deep.equal([`nothing listens on 127.0.0.1:${port}`])
  })

  it('break when the program breaks them', async () => {
    const port = await listen((socket) => {
      socket.write('something')
      socket.once('data', () => socket.resetAndDestroy())
    })
    const stream = await client().tunnel(port)
    const told = code(drain(stream))
    await stream.sink.write(Buffer.from('go'))
    expect(await told).to.equal('connection_lost')
    expect(await code(stream.sink.write(Buffer.from('more')))).to.equal('connection_lost')
    const socket = connect(await lead(port), '127.0.0.1')
    socket.write('go')
    await once(socket.resume().on('error', () => undefined), 'close')
    await until(() => problems.length > 0)
    expect(problems.splice(0)[0]).to.include('ended before its end')
  })

  it('reset the program when their client goes, also where nobody reads', async () => {
    const ends: string[] = []
    const port = await listen((socket) => {
      socket.write('x')
      socket.once('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
    })
    const stream = await client().tunnel(port)
    await stream.source[Symbol.asyncIterator]().next()
    stream.close()
    // Nobody reads there, so it takes a word to notice.
    await until(async () => !(await because()).some((line) => line.includes(String(port))))

    const stuck = await client().tunnel(port)
    const flood = code((async () => { for (;;) await stuck.sink.write(Buffer.alloc(65_536)) })())
    await new Promise((resolve) => setTimeout(resolve, 300))
    stuck.close()
    expect(await flood).to.equal('connection_lost')
    await until(async () => !(await because()).some((line) => line.includes(String(port))))
  })

  it('are 200 at once, each its own', async () => {
    const port = await lead(await listen((socket) => socket.pipe(socket)))
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => {
        const socket = dial(port)
        socket.end(`number ${n}`)
        return text(socket)
      }),
    )
    expect(answers).to.deep.equal(answers.map((_, n) => `number ${n}`))
    expect(problems).to.deep.equal([])
  })

  it('keep the computer from counting as idle, and are no clients of their own', async () => {
    const port = await listen((socket) => socket.resume())
    const through = client()
    const stream = await through.tunnel(port)
    const { because: lines, held = [] } = await through.idle()
    expect(lines).to.include(`tunnel to 127.0.0.1:${port}`)
    const count = held.length === 0 ? '' : held.join()
    const second = await through.tunnel(port)
    expect(((await through.idle()).held ?? []).join()).to.equal(count)
    second.close()
    stream.close()
    await until(async () => !(await because()).some((line) => line.includes(String(port))))
  })

  it('go over the one connection where the guest takes none of them', async () => {
    const stream = await client('/nowhere/direct.sock').tunnel(await listen((socket) => socket.end('hello')))
    expect(isPourable(stream)).to.equal(false)
    expect(await drain(stream)).to.equal('hello')
  })

  it('end with their client, and with the guest', async () => {
    const port = await listen((socket) => socket.write('x'))
    const through = client()
    const stream = await through.tunnel(port)
    const told = code(drain(stream))
    through.close()
    expect(await told).to.equal('connection_lost')
    const other = await client().tunnel(port)
    const lost = code(drain(other))
    await solo.end('SIGKILL')
    expect(await lost).to.equal('connection_lost')
    await solo.start()
  })

  async function because(): Promise<readonly string[]> {
    return (await solo.json<IdleState>('GET', '/v1/idle?window=0')).because
  }
})
