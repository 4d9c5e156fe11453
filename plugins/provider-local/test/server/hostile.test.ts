import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { type Bench, TOKEN, serve } from './support.ts'
import { type Talk, begin, dial, get, refusal } from './talk.ts'

const at = '/v1/sprites/raw'

describe('the server, to those who mean no good', () => {
  let bench: Bench
  before(async () => {
    bench = await serve()
    await get(bench, '/v1/sprites', { method: 'POST', body: '{"name":"raw"}' })
  })
  after(async () => {
    await bench.end()
    expect(bench.log).to.deep.equal([])
  })

  it('answers nobody without its token, on any path', async () => {
    for (const authorization of ['', 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, TOKEN, `Bearer x ${TOKEN}`]) {
      for (const path of ['/v1/sprites', at, '/', '/v1/nothing', `${at}/exec`]) {
        const { status, body } = await get<{ error: string }>(bench, path, { headers: { authorization } })
        expect([status, body.error], `${authorization} ${path}`).to.deep.equal([401, 'unauthorized'])
      }
    }
    for (const path of [`${at}/exec?cmd=true`, `${at}/exec/1`, '/v1/sprites/none/exec?cmd=true']) expect(await refusal(bench, path, 'wrong')).to.deep.include({ status: 401, error: 'unauthorized' })
  })

  it('says in every answer which server it is', async () => {
    for (const [path, method] of [[`${at}/exec`, 'HEAD'], ['/v1/sprites', 'GET'], ['/v1/nothing', 'GET']] as const) {
      const { headers } = await get(bench, path, { method })
      expect([headers.get('sprite-version'), headers.get('sprite-server')]).to.deep.equal(['0.0.1-rc48', 'amux/0.0.0'])
    }
    const { socket } = dial(bench, `${at}/exec?cmd=true`)
    const [response] = (await once(socket, 'upgrade')) as [{ headers: Record<string, string> }]
    expect([response.headers['sprite-version'], response.headers['x-sprite-capabilities']]).to.deep.equal(['0.0.1-rc48', 'signal'])
  })

  it('refuses before the upgrade what cannot be', async () => {
    for (const [path, status] of [
      ['/v1/sprites/none/exec?cmd=true', 404],
      [`${at}/exec/99999`, 404],
      [`${at}/exec?id=99999`, 404],
      [`${at}/exec/..%2f..%2fetc`, 404],
      ['/v1/sprites/..%2f..%2fetc/exec?cmd=true', 404],
      ['/v1/sprites/%00/exec?cmd=true', 404],
      ['/v1/sprites/%ff/exec?cmd=true', 400],
      [`${at}/exec?cmd=a%00b`, 400],
      [`${at}/exec?cmd=true&env=NOVALUE`, 400],
      [`${at}/exec?cmd=true&tty=maybe`, 400],
      [`${at}/exec?cmd=true&env==x`, 400],
      [`${at}/exec?cmd=true&tty=true&rows=-1`, 400],
      [`${at}/exec?cmd=true&tty=true&cols=1e9`, 400],
      [`${at}/exec?cmd=true&max_run_after_disconnect=soon`, 400],
      [`${at}/control`, 404],
      ['/v1/sprites', 405],
    ] as const) {
      expect((await refusal(bench, path)).status, path).to.equal(status)
    }
  })

  it('refuses bodies and parameters that make no sense', async () => {
    for (const [method, path, body, status] of [
      ['POST', '/v1/sprites', '', 400],
      ['POST', '/v1/sprites', '[]', 400],
      ['POST', '/v1/sprites', '{', 400],
      ['POST', '/v1/sprites', '{"name":"../../etc"}', 400],
      ['POST', '/v1/sprites', '{"name":7}', 400],
      ['POST', '/v1/sprites', '{"name":"a-"}', 400],
      ['POST', '/v1/sprites', `{"name":"${'a'.repeat(54)}-"}`, 400],
      ['POST', '/v1/sprites', `{"name":"${'a'.repeat(56)}"}`, 400],
      ['POST', '/v1/sprites', '{"name":"a\\u0000"}', 400],
      ['POST', '/v1/sprites', '{"name":"b","labels":[1]}', 400],
      ['POST', '/v1/sprites', '{"name":"b","environment":{"A=B":"x"}}', 400],
      ['POST', '/v1/sprites', '{"name":"b","url_settings":{"auth":"everyone"}}', 400],
      ['POST', '/v1/sprites', '{"name":"raw"}', 409],
      ['PUT', at, '{"labels":"x"}', 400],
      ['PUT', '/v1/sprites/none', '{}', 404],
      ['DELETE', '/v1/sprites/..%2fraw', undefined, 404],
      ['DELETE', '/v1/sprites/none', undefined, 404],
      ['GET', '/v1/sprites?continuation_token=%2e%2e', undefined, 400],
      ['GET', '/v1/sprites?max_results=x', undefined, 400],
      ['GET', '/v1/sprites?max_results=1000', undefined, 200],
      ['GET', '/v1/sprites?max_results=0', undefined, 400],
      ['GET', '/v1/sprites?max_results=-1', undefined, 400],
      ['POST', `${at}/exec?cmd=true&tty=maybe`, undefined, 400],
      ['POST', `${at}/exec?cmd=true&stdin=maybe`, undefined, 400],
      ['POST', `${at}/checkpoint`, '{"comment":7}', 400],
      ['POST', `${at}/checkpoint`, '{"comment":["a"]}', 400],
      ['POST', `${at}/exec/99999/kill`, undefined, 404],
      ['POST', `${at}/exec/1/kill?signal=NOPE`, undefined, 400],
      ['POST', `${at}/exec`, undefined, 400],
      ['PATCH', at, undefined, 405],
      ['POST', '/v1/sprites', 'x'.repeat(2_000_000), 413],
    ] as const) {
      const { status: got } = await get(bench, path, { method, ...(body !== undefined && { body }) })
      expect(got, `${method} ${path} ${body?.slice(0, 60)}`).to.equal(status)
    }
  })

  it('takes no header without end, and nothing that is no HTTP', async () => {
    expect(await spoken(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(200_000)}\r\n\r\n`)).to.match(/^HTTP\/1.1 431 /)
    expect(await spoken('\0\0\0 hello\r\n\r\n')).to.match(/^HTTP\/1.1 400 /)
    expect(await spoken(`GET ${at}/exec?cmd=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`)).to.match(/^HTTP\/1.1 400 bad_upgrade/)
    expect(await spoken(`GET ${at}/exec?cmd=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n`)).to.match(/^HTTP\/1.1 400 /)
    expect((await get<{ count: number }>(bench, `${at}/exec`)).body.count).to.equal(0)
  })

  it('ends a client whose message is too large, or is no message, and says why', async () => {
    const large = await begin(bench, 'raw', ['cat'], { stdin: 'true', max_run_after_disconnect: '1ms' })
    large.socket.send(Buffer.alloc(20 * 1024 * 1024))
    expect(await large.closed).to.equal(1009)
    const wordy = dial(bench, `${at}/ports/watch`)
    await wordy.until(({ order }) => order.includes('port_list'))
    wordy.socket.send('x'.repeat(17 * 1024 * 1024))
    expect(await wordy.closed).to.equal(1009)
    const broken = await begin(bench, 'raw', ['cat'], { stdin: 'true', max_run_after_disconnect: '1ms' })
    // The socket below: this is no frame.
    connectionOf(broken).write(Buffer.from([0xff, 0xff, 0xff, 0xff]))
    expect(await broken.closed).to.equal(1002)
    await settled(async () => (await get<{ count: number }>(bench, `${at}/exec`)).body.count === 0)
  })

  it('says so too to one who reads only once all is sent, and cuts off one who never stops', async () => {
    for (const path of ['exec?cmd=cat&stdin=true&max_run_after_disconnect=1ms', 'ports/watch']) {
      const socket = await upgraded(`${at}/${path}`)
      const parts: Buffer[] = []
      await new Promise((resolve, reject) => socket.on('error', reject).pause().write(Buffer.concat([headOf(0x81, 20 * 1024 * 1024), Buffer.alloc(20 * 1024 * 1024)]), resolve))
      socket.on('data', (part: Buffer) => parts.push(part)).resume()
      await once(socket, 'end')
      // A close frame of two bytes.
      expect(Buffer.concat(parts).subarray(-4).toString('hex'), path).to.equal('880203f1')
      socket.destroy()
    }
    const socket = await upgraded(`${at}/ports/watch`)
    const cut = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve))
    socket.write(headOf(0x82, 1024 ** 3))
    const flood = () => socket.write(Buffer.alloc(1024 * 1024), (error) => void (error ?? flood()))
    flood()
    await cut
    expect(socket.bytesWritten).to.be.below(1024 ** 3)
  })

  it('keeps no connection of a proxy that came to nothing', async () => {
    for (const [first, code] of [['{"host":"localhost","port":1}', 1000], ['{"port":"x"}', 1000], ['{', 1000], [Buffer.from('{"port":1}'), 1002]] as const) {
      const talk = dial(bench, `${at}/proxy`)
      await once(talk.socket, 'open')
      const ended = once(connectionOf(talk), 'end')
      talk.socket.send(first)
      // Both ends, long before either gives up on the other.
      expect(await talk.closed).to.equal(code)
      await ended
      if (code === 1000) expect(talk.texts).to.have.length(1)
    }
  }).timeout(10_000)

  it('does not grow for clients that never read, nor for one that types to a program that never does', async () => {
    const before = process.memoryUsage.rss()
    const talks = await Promise.all(Array.from({ length: 4 }, () => begin(bench, 'raw', ['sh', '-c', 'yes'], { max_run_after_disconnect: '1ms' })))
    for (const { socket } of talks) socket.pause()
    const deaf = await begin(bench, 'raw', ['sleep', '1000'], { stdin: 'true', max_run_after_disconnect: '1ms' })
    for (let n = 0; n < 20; n++) deaf.send(0, Buffer.alloc(1024 * 1024))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    // These clients are in this process too.
    expect(process.memoryUsage.rss() - before).to.be.below(250e6)
    for (const { socket } of [...talks, deaf]) socket.terminate()
    await settled(async () => (await get<{ count: number }>(bench, `${at}/exec`)).body.count === 0)
  })

  it('lists by any pattern, and answers others meanwhile', async () => {
    for (let n = 0; n < 20; n++) await get(bench, `${at}/fs/write?path=/tmp/g/${'a'.repeat(230 + n)}`, { method: 'PUT', body: 'x' })
    const list = (pattern: string) => get<{ count: number }>(bench, `${at}/fs/list?path=/tmp/g&pattern=${encodeURIComponent(pattern)}`)
    const [evil, , other] = await Promise.all([list(`${'*a'.repeat(100)}b`), list(`${'*a'.repeat(100)}b`), get(bench, '/v1/sprites')])
    expect([evil.status, evil.body.count, other.status]).to.deep.equal([200, 0, 200])
    expect((await list('*a')).body.count).to.equal(20)
    for (const pattern of ['{a,b}', 'a'.repeat(300), '[']) expect((await list(pattern)).status).to.equal(400)
  })

  it('goes on when clients leave in the middle of anything', async () => {
    for (let n = 0; n < 20; n++) {
      const { socket, closed } = dial(bench, `${at}/exec?cmd=sleep&cmd=1000&max_run_after_disconnect=1ms`)
      setTimeout(() => socket.terminate(), n * 3)
      await closed
    }
    await settled(async () => (await get<{ count: number }>(bench, `${at}/exec`)).body.count === 0)
    const controller = new AbortController()
    const post = get(bench, `${at}/exec?cmd=sleep&cmd=1000`, { method: 'POST', signal: controller.signal }).catch(() => 'aborted')
    await settled(async () => (await get<{ count: number }>(bench, `${at}/exec`)).body.count === 1)
    controller.abort()
    expect(await post).to.equal('aborted')
    await settled(async () => (await get<{ count: number }>(bench, `${at}/exec`)).body.count === 0)
  })

  /** A WebSocket that nobody looks after. */
  async function upgraded(path: string): Promise<Socket> {
    const { hostname, port } = new URL(bench.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${'a'.repeat(22)}==\r\n\r\n`)
    await once(socket, 'data')
    return socket
  }

  async function spoken(bytes: string): Promise<string> {
    const { hostname, port } = new URL(bench.url)
    const socket = connect(Number(port), hostname)
    socket.write(bytes)
    const parts: Buffer[] = []
    socket.on('data', (part) => parts.push(part))
    // What was sent and not read may reset it after the answer.
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.on('close', resolve))
    return Buffer.concat(parts).toString()
  }
})

async function settled(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 30))
}

/** Below a WebSocket of `ws`, which has no other way to it. */
function connectionOf({ socket }: Talk): Socket {
  return (socket as unknown as { readonly _socket: Socket })._socket
}

/** What comes before the bytes of a frame; with this key, each is as it is. */
function headOf(sign: number, length: number): Buffer {
  const head = Buffer.alloc(14)
  head.set([sign, 0xff])
  head.writeUInt32BE(length, 6)
  return head
}
