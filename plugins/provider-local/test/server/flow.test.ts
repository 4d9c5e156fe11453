import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'
import type { Call } from '../../src/server/http/call.ts'
import type { SocketHandler } from '../../src/server/http/router.ts'
import { answerPings } from '../../src/server/http/handshake.ts'
import { watchPorts } from '../../src/server/sprite/notices.ts'
import { Peer } from '../../src/server/sprite/peer.ts'
import { portRoutes } from '../../src/server/routes/ports.ts'
import { watchRoutes } from '../../src/server/routes/watch.ts'

const EVENTS = 8000
/** More than all buffers between two ends of a connection hold. */
const ALL = 40_000_000
const LONG = 'x'.repeat(ALL / EVENTS)

/** What happens on a computer, one after the other, as fast as it is taken. */
class Source {
  taken = 0
  paths = 0

  async *of<T>(make: (n: number) => T): AsyncGenerator<T, void> {
    while (this.taken < EVENTS) {
      if (this.taken % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      yield make(this.taken++)
    }
    await new Promise(() => {})
  }

  /** Until no more is taken. */
  async stalled(): Promise<number> {
    for (let before = -1, same = 0; same < 5; same = before === this.taken ? same + 1 : 0) {
      before = this.taken
      await sleep(50)
    }
    return this.taken
  }
}

describe('what the server tells clients, at their pace', () => {
  let server: WebSocketServer
  before(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false })
    await once(server, 'listening')
  })
  after(() => server.close())

  /** Both ends of a connection; the far one counts what it gets once it reads. */
  async function connection() {
    const [near, far] = await Promise.all([once(server, 'connection').then(([socket]) => socket as WebSocket), open()])
    return { near, ...far }
  }

  async function open() {
    const far = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const got: { readonly type: string }[] = []
    far.on('message', (data: Buffer) => got.push(JSON.parse(data.toString()) as { type: string }))
    await once(far, 'open')
    return { far, got }
  }

  function served(source: Source): unknown {
    const port = (n: number) => ({ type: 'opened', port: n, address: LONG, pid: 0 })
    const computer = {
      info: async () => ({ user: { home: '/' } }),
      files: {
        async watch(paths: readonly string[]) {
          source.paths += paths.length
          return source.of((n) => ({ path: `/${n}/${LONG}`, event: 'create', directory: false }))
        },
      },
      ports: { list: async () => [], events: () => source.of(port) },
    }
    return { computer, wake: async () => {}, awake: (work: (one: unknown) => unknown) => work(computer) }
  }

  const serve = (handler: unknown, source: Source, near: WebSocket) => (handler as SocketHandler)({ sprite: async () => served(source) } as unknown as Call, async () => near)

  async function sleeper(source: Source, far: WebSocket, got: readonly { readonly type: string }[], type: string): Promise<void> {
    const taken = await source.stalled()
    expect(taken).to.be.within(1, EVENTS / 2)
    far.resume()
    while (got.length < EVENTS) await sleep(20)
    while (got.filter((event) => event.type === type).length < EVENTS) await sleep(20)
    expect(source.taken).to.equal(EVENTS)
    far.close()
  }

  it('files: one that does not read is waited for, and misses nothing', async () => {
    const source = new Source()
    const { near, far, got } = await connection()
    await serve(watchRoutes['WS /v1/sprites/:name/fs/watch'], source, near)
    far.pause()
    far.send(JSON.stringify({ type: 'subscribe', paths: ['/'] }))
    await sleeper(source, far, got, 'event')
  })

  it('ports: one that does not read is waited for, and misses nothing', async () => {
    const source = new Source()
    const { near, far, got } = await connection()
    far.pause()
    void serve(portRoutes['WS /v1/sprites/:name/ports/watch'], source, near)
    await sleeper(source, far, got, 'port_opened')
  })

  it('ports of a session: one that does not read is waited for, and misses nothing', async () => {
    const source = new Source()
    const { near, far, got } = await connection()
    far.pause()
    watchPorts(served(source) as never, 1, new Peer(near, false))
    while (source.taken === 0) await sleep(20)
    await sleeper(source, far, got, 'port_opened')
  })

  it('subscriptions: so many and no more, however many are asked for, and no answers to one who does not read them', async () => {
    const source = new Source()
    const { near, far, got } = await connection()
    await serve(watchRoutes['WS /v1/sprites/:name/fs/watch'], source, near)
    far.pause()
    // The answers alone are more than all buffers hold.
    const paths = Array.from({ length: 20 }, (_, n) => `/${n}${LONG}`)
    for (let n = 0; n < 500; n++) far.send(JSON.stringify({ type: 'subscribe', paths }))
    await source.stalled()
    expect(source.paths / paths.length).to.be.at.most(64)
    // What it says is not read on either.
    expect(far.bufferedAmount).to.be.greaterThan(ALL / 2)
    far.terminate()
    await once(near, 'close')
    expect(got).to.deep.equal([])
  })

  it('subscriptions: the one too many is told so, as is one for too much', async () => {
    const { near, far, got } = await connection()
    const quiet = new Source()
    quiet.taken = EVENTS
    await serve(watchRoutes['WS /v1/sprites/:name/fs/watch'], quiet, near)
    far.send(JSON.stringify({ type: 'subscribe', paths: Array.from({ length: 1001 }, () => '/') }))
    for (let n = 0; n < 65; n++) far.send(JSON.stringify({ type: 'subscribe', paths: ['/'] }))
    while (got.length < 66) await sleep(10)
    expect(got.filter(({ type }) => type === 'subscribed')).to.have.length(64)
    expect([got.at(0), got.at(-1)].map((one) => one?.type)).to.deep.equal(['error', 'error'])
    far.close()
  })

  it('pings: one who does not read the answers gets no more of them', async () => {
    const { near, far } = await connection()
    answerPings(near)
    far.pause()
    const heard = { count: 0 }
    near.on('ping', () => heard.count++)
    const data = Buffer.alloc(125)
    for (let n = 0; n < 200_000; n++) far.ping(data, undefined, () => undefined)
    while (heard.count < 200_000) await sleep(20)
    expect(near.bufferedAmount).to.be.below(3_000_000)
    far.terminate()
  })
})
