import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { until } from '../support.ts'
import { type Bench, TOKEN, serve } from './support.ts'
import { begin, get } from './talk.ts'

/** Answers by the path; `/echo` with the request as it came, `/hang` never, `/count` with how many are connected. */
const hostile = `
const answers = {
  '/words': 'HTTP/1.1 200 O\\x01K\\r\\ncontent-length: 2\\r\\n\\r\\nhi',
  '/none': 'HTTP/1.1 000 X\\r\\ncontent-length: 2\\r\\n\\r\\nhi',
  '/low': 'HTTP/1.1 099 X\\r\\ncontent-length: 2\\r\\n\\r\\nhi',
  '/switch': 'HTTP/1.1 101 X\\r\\nupgrade: websocket\\r\\nconnection: upgrade\\r\\n\\r\\nhi',
  '/early': 'HTTP/1.1 103 X\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nhi',
  '/control': 'HTTP/1.1 200 OK\\r\\nx: a\\x01b\\r\\ncontent-length: 2\\r\\n\\r\\nhi',
  '/both': 'HTTP/1.1 200 OK\\r\\ncontent-length: 20\\r\\ntransfer-encoding: chunked\\r\\n\\r\\n2\\r\\nhi\\r\\n0\\r\\n\\r\\n',
  '/junk': '\\0\\0\\0\\0',
  '/large': 'HTTP/1.1 200 OK\\r\\nx: ' + 'y'.repeat(300000) + '\\r\\ncontent-length: 2\\r\\n\\r\\nhi',
  '/refused': 'HTTP/1.1 404 No\\r\\ncontent-length: 2\\r\\n\\r\\nno',
}
const server = require('net').createServer((socket) => {
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    const path = /^\\S+ (\\S+)/.exec(text)?.[1]
    if (!text.includes('\\r\\n\\r\\n') || path === '/hang') return
    if (path === '/socket' || path === '/refused') socket.removeAllListeners('data')
    if (path === '/socket') return socket.write('HTTP/1.1 101 Go\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nX-Own: yes\\r\\n\\r\\nfirst', () => socket.pipe(socket))
    if (path === '/refused') socket.on('data', (more) => socket.write(more))
    if (path === '/echo') return setTimeout(() => socket.end('HTTP/1.1 200 OK\\r\\nconnection: close\\r\\n\\r\\n' + text), 100)
    if (path === '/count') return server.getConnections((_, count) => socket.end('HTTP/1.1 200 OK\\r\\n\\r\\ncount ' + (count - 1)))
    socket.write(Buffer.from(answers[path] ?? 'HTTP/1.1 404 None\\r\\ncontent-length: 0\\r\\n\\r\\n', 'latin1'))
  })
}).listen(8080, '127.0.0.1', () => console.log('up'))`

const host = 'host: web.localhost\r\n'
const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\n'

describe("a sprite's URL, when the sprite or its caller means no good", () => {
  let bench: Bench
  before(async () => {
    bench = await serve()
    await get(bench, '/v1/sprites', { method: 'POST', body: '{"name":"web","url_settings":{"auth":"public"}}' })
    const program = await begin(bench, 'web', ['node', '-e', hostile])
    await program.until((talk) => talk.text(1).includes('up'))
  })
  after(async () => {
    await bench.end()
    expect(bench.log).to.deep.equal([])
  })

  function dial(): Socket {
    return connect(Number(new URL(bench.url).port), '127.0.0.1').on('error', () => undefined)
  }

  /** All that comes until the connection ends. */
  async function spoken(text: string): Promise<string> {
    const socket = dial()
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.write(text)
    await once(socket, 'close')
    return Buffer.concat(parts).toString('latin1')
  }

  it('an answer that is no HTTP is told as one, and never left open', async () => {
    for (const path of ['none', 'low', 'switch', 'control', 'both', 'junk', 'large']) {
      expect(await spoken(`GET /${path} HTTP/1.1\r\n${host}connection: close\r\n\r\n`), path).to.match(/^HTTP\/1.1 502 /)
    }
    for (const path of ['words', 'early']) {
      expect(await spoken(`GET /${path} HTTP/1.1\r\n${host}connection: close\r\n\r\n`), path).to.match(/^HTTP\/1.1 200 [\r\n\x20-\x7e]*\r\n\r\nhi$/)
    }
    for (const path of ['none', 'low', 'control', 'junk', 'large']) {
      expect(await spoken(`GET /${path} HTTP/1.1\r\n${host}${upgrade}\r\n`), path).to.match(/^HTTP\/1.1 502 /)
    }
  })

  it('a body never passes for the next request', async () => {
    const hidden = 'POST /hidden HTTP/1.1\r\n\r\n'
    const echoed = async (method: string, headers: string, body: string) => {
      const text = await spoken(`${method} /echo HTTP/1.1\r\n${host}${headers}\r\n${body}`)
      return /(?:GET|DELETE|POST) \/echo[^]*/.exec(text)?.[0].toLowerCase() ?? text
    }
    const size = hidden.length
    for (const method of ['GET', 'DELETE', 'POST']) {
      expect(await echoed(method, 'connection: close\r\ntransfer-encoding: chunked\r\n', `${size.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`), method).to.include('transfer-encoding: chunked').and.not.include('content-length')
      expect(await echoed(method, `connection: close, content-length\r\ncontent-length: ${size}\r\n`, hidden), method).to.include(`content-length: ${size}\r\n`)
    }
  })

  it('does not get the token, not even behind an upgrade that it refused', async () => {
    const withToken = `${host}authorization: Bearer ${TOKEN}\r\n`
    expect(await spoken(`GET /echo HTTP/1.1\r\n${withToken}connection: close\r\n\r\n`)).to.include('GET /echo').and.not.include(TOKEN)
    const socket = dial()
    const closed = once(socket, 'close')
    let text = ''
    socket.on('data', (part: Buffer) => (text += part.toString()))
    socket.write(`GET /refused HTTP/1.1\r\n${withToken}${upgrade}\r\n`)
    await until('it is refused', () => text.includes('\r\n\r\nno'))
    expect(text).to.match(/^HTTP\/1.1 404 No\r\n/).and.match(/\r\nconnection: close\r\n/i)
    socket.write(`GET /echo HTTP/1.1\r\n${withToken}\r\n`)
    await closed
    expect(text).not.to.include(TOKEN)
  })

  it('a WebSocket goes both ways, from the first byte on', async () => {
    const socket = dial()
    let text = ''
    socket.on('data', (part: Buffer) => (text += part.toString()))
    socket.write(`GET /socket HTTP/1.1\r\n${host}${upgrade}\r\nearly`)
    await until('both heard', () => text.includes('firstearly'))
    expect(text).to.match(/^HTTP\/1.1 101 Go\r\n/).and.include('X-Own: yes\r\n')
    socket.write(' late')
    await until('it came', () => text.endsWith('firstearly late'))
    socket.end()
    await once(socket, 'close')
  })

  it('keeps no connection for a caller that left, however early', async () => {
    for (const more of ['', upgrade]) {
      for (let n = 0; n < 20; n++) {
        const socket = dial()
        socket.write(`GET /hang HTTP/1.1\r\n${host}${more}\r\n`)
        setTimeout(() => socket.destroy(), n * 5)
      }
    }
    await until('all are gone', async () => (await spoken(`GET /count HTTP/1.1\r\n${host}connection: close\r\n\r\n`)).includes('count 0'))
  })
})
