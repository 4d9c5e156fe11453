import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { ClientHttp2Stream } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import type { IdleState } from '../../src/protocol/index.ts'
import { until } from './lab.ts'
import { query, Solo } from './solo.ts'

describe('a tunnel', () => {
  let solo: Solo
  const servers: Server[] = []
  before(async () => {
    solo = await Solo.open()
  })
  after(async () => {
    for (const server of servers) server.close()
    await solo.close()
  })

  async function listen(serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined)
      serve(socket)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async function dig(port: number, host?: string): Promise<ClientHttp2Stream> {
    const stream = solo.open('POST', query('/v1/tunnel', { port, ...(host !== undefined && { host }) }))
    const status = await new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])))
    expect(status).to.equal(200)
    return stream
  }

  /** Everything that still comes, if it ends in good order. */
  function rest(stream: ClientHttp2Stream): Promise<string> {
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.once('end', () => stream.rstCode === 0 && resolve(Buffer.concat(pieces).toString()))
      stream.once('close', () => reject(new Error(`broke off with ${stream.rstCode}`)))
    })
  }

  it('carries bytes both ways, millions of them', async () => {
    const port = await listen((socket) => socket.pipe(socket))
    const stream = await dig(port)
    const sent = Buffer.alloc(20_000_000, 'abcdefg')
    const answer = new Promise<Buffer>((resolve) => {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.once('end', () => resolve(Buffer.concat(pieces)))
    })
    stream.end(sent)
    expect((await answer).equals(sent)).to.equal(true)
  })

  it('lets either side stop talking and go on listening', async () => {
    const port = await listen((socket) => {
      socket.resume()
      socket.once('end', () => socket.end('after your end'))
    })
    const stream = await dig(port)
    const answer = rest(stream)
    stream.end('question')
    expect(await answer).to.equal('after your end')

    let heard = ''
    let ended = false
    const other = await listen((socket) => {
      socket.end('I am done')
      socket.on('data', (bytes: Buffer) => (heard += bytes.toString()))
      socket.once('end', () => (ended = true))
    })
    const talk = await dig(other)
    talk.resume()
    talk.once('end', () => talk.end('but I am not'))
    await until(() => ended)
    expect(heard).to.equal('but I am not')
  })

  it('says when nothing listens, and before it is a tunnel', async () => {
    const port = await listen(() => undefined)
    const server = servers.pop()
    await new Promise((resolve) => server?.close(resolve))
    expect(await solo.refusal('POST', query('/v1/tunnel', { port }))).to.deep.include({ code: 'unavailable', status: 503, message: `nothing listens on localhost:${port}` })
    expect(await solo.refusal('POST', query('/v1/tunnel', { port, host: 'no-such-host.invalid' }))).to.satisfy(({ code }: { code: string }) => code === 'not_found' || code === 'unavailable')
    for (const bad of ['0', '70000', 'x', '-1']) expect((await solo.refusal('POST', query('/v1/tunnel', { port: bad }))).code, bad).to.equal('invalid_argument')
  })

  it('finds what listens on either loopback address', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const port = await listen((socket) => socket.end(host), host)
      const stream = await dig(port)
      const answer = rest(stream)
      stream.end()
      expect(await answer).to.equal(host)
    }
    const port = await listen((socket) => socket.end('six'), '::1')
    expect(await rest(await dig(port, '[::1]'))).to.equal('six')
  })

  it('breaks when the program breaks it', async () => {
    const port = await listen((socket) => {
      socket.write('something')
      socket.once('data', () => socket.resetAndDestroy())
    })
    const stream = await dig(port)
    const answer = rest(stream)
    stream.write('go')
    const error = await answer.catch((reason: unknown) => reason)
    expect(String(error)).to.include('broke off with 2')
  })

  it('resets the program\'s side when the client vanishes', async () => {
    let end = ''
    const port = await listen((socket) => {
      socket.write('x'.repeat(100))
      socket.resume()
      socket.once('error', (error: NodeJS.ErrnoException) => (end = error.code ?? ''))
      socket.once('close', () => (end ||= 'closed'))
    })
    const stream = await dig(port)
    stream.once('data', () => stream.destroy())
    await until(() => end !== '')
    expect(end).to.equal('ECONNRESET')
  })

  it('makes a program that talks too much wait for its reader', async () => {
    let written = 0
    const port = await listen((socket) => {
      const piece = Buffer.alloc(64 * 1024)
      const more = (): void => {
        while (socket.write(piece)) written += piece.length
        written += piece.length
        socket.once('drain', more)
      }
      more()
    })
    const stream = await dig(port)
    let before = -1
    for (let still = 0; still < 20; still = written === before ? still + 1 : 0) {
      before = written
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(written).to.be.lessThan(64 * 1024 * 1024)
    stream.resume()
    const enough = written + 20_000_000
    await until(() => written > enough)
    stream.destroy()
  })

  it('keeps the computer from counting as idle', async () => {
    const port = await listen((socket) => socket.resume())
    const stream = await dig(port)
    expect((await solo.json<IdleState>('GET', '/v1/idle?window=0')).because).to.include(`tunnel to localhost:${port}`)
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.destroy()
    await closed
    for (let open = true; open; ) open = (await solo.json<IdleState>('GET', '/v1/idle?window=0')).because.some((line) => line.includes(String(port)))
  })
})
