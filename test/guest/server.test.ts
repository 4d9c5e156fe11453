import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Hello, IdleState } from '../../src/protocol/index.ts'
import { ended, query, Solo } from './solo.ts'

const root = process.getuid?.() === 0

describe('the guest', () => {
  let solo: Solo
  before(async () => {
    solo = await Solo.open({ workspace: '/some/where' })
  })
  after(() => solo.close())

  it('introduces itself', async () => {
    const hello = await solo.json<Hello>('GET', '/v1/hello')
    expect(hello.protocol).to.deep.equal({ min: 1, max: 1 })
    expect(hello).to.include({ version: 'test', pid: solo.process?.pid, node: process.version, arch: process.arch, workspace: '/some/where', users: root, livingSessions: 0 })
    expect(hello.user.home).to.equal(solo.home)
    expect(hello.nonce).to.match(/^[0-9a-f-]{36}$/)
  })

  it('lets only its owner at the socket', () => {
    expect(statSync(solo.socket).mode & 0o777).to.equal(0o600)
    expect(statSync(join(solo.dir, 'run')).mode & 0o777).to.equal(0o700)
  })

  if (root) {
    it('gives the socket to the owner named', async () => {
      const other = await Solo.open({ owner: { uid: 12345, gid: 54321 } })
      try {
        expect(statSync(other.socket)).to.include({ uid: 12345, gid: 54321 })
      } finally {
        await other.close()
      }
    })
  }

  it('does nothing for a client that means another guest', async () => {
    const target = join(solo.home, 'not-written')
    const refusal = await solo.refusal('PUT', query('/v1/file', { path: target }), 'x', { 'amux-nonce': 'an earlier one' })
    expect(refusal).to.include({ status: 409, code: 'conflict' })
    expect(existsSync(target)).to.equal(false)
    const { nonce } = await solo.json<Hello>('GET', '/v1/hello')
    expect((await solo.call('GET', '/v1/hello', undefined, { 'amux-nonce': nonce })).status).to.equal(200)
  })

  it('says what it does not know, and what is wrong with a request', async () => {
    expect(await solo.refusal('GET', '/v1/nothing')).to.include({ code: 'unsupported', status: 501 })
    expect(await solo.refusal('PATCH', '/v1/file?path=x')).to.include({ code: 'unsupported' })
    expect(await solo.refusal('GET', '/v1/stat')).to.include({ code: 'invalid_argument', status: 400 })
    expect(await solo.refusal('GET', '/v1/file?path=x&offset=-1')).to.include({ code: 'invalid_argument' })
    expect(await solo.refusal('GET', '/v1/sessions/nobody')).to.include({ code: 'not_found', status: 404 })
    expect(await solo.refusal('GET', '/v1/sessions/%E0%A4%A')).to.include({ code: 'invalid_argument' })
  })

  it('is not disturbed by garbage, by half a request, by clients that vanish', async () => {
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\0'.repeat(70_000), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff', 'PRI * HTT']) {
      const socket = createConnection(solo.socket)
      socket.on('error', () => undefined)
      await new Promise<void>((resolve) => {
        socket.once('close', resolve)
        socket.once('connect', () => socket.end(bytes, 'latin1'))
        socket.resume()
      })
    }
    const sessions = Array.from({ length: 20 }, () => solo.connect())
    for (const session of sessions) {
      session.request({ ':method': 'PUT', ':path': '/v1/file?path=half' }).on('error', () => undefined).write('half')
      session.request({ ':path': '/v1/ports/events' }).on('error', () => undefined)
    }
    await Promise.all(sessions.map((session) => new Promise<void>((resolve) => session.ping(() => resolve()))))
    for (const session of sessions) session.destroy()
    const hello = await solo.json<Hello>('GET', '/v1/hello')
    expect(hello.pid).to.equal(solo.process?.pid)
    expect(solo.errors).to.equal('')
  })

  it('serves on after thousands of cancelled requests', async () => {
    for (let round = 0; round < 30; round++) {
      const streams = Array.from({ length: 100 }, () => solo.open('GET', '/v1/hello'))
      const closed = streams.map((stream) => new Promise((resolve) => stream.once('close', resolve)))
      for (const stream of streams) stream.close(8)
      await Promise.all(closed)
    }
    expect((await solo.call('GET', '/v1/hello')).status).to.equal(200)
  })

  it('takes uploads on after many that it refused', async () => {
    const big = Buffer.alloc(3 * 1024 * 1024)
    for (let round = 0; round < 40; round++) expect((await solo.refusal('PUT', '/v1/file?path=no/such/directory', big)).code).to.equal('not_found')
    expect((await solo.call('PUT', '/v1/file?path=fine', big)).status).to.equal(204)
  })

  it('tells whether the computer works', async () => {
    const idle = await solo.json<IdleState>('GET', '/v1/idle?window=0')
    expect(idle).to.have.property('because')
  })

  it('refuses to run twice in a place, and leaves the first alone', async () => {
    const second = solo.launch()
    expect(await ended(second)).to.equal(3)
    expect(solo.errors).to.include('another guest answers')
    solo.errors = ''
    expect((await solo.call('GET', '/v1/hello')).status).to.equal(200)
  })

  it('says what is wrong with its configuration', async () => {
    const other = new Solo()
    try {
      const file = readFileSync(other.file, 'utf8')
      for (const bytes of ['', '{}', file.slice(0, -3)]) {
        writeFileSync(other.file, bytes)
        expect(await ended(other.launch())).to.equal(2)
      }
      expect(other.errors).to.match(/^amux guest: .*\n/)
    } finally {
      await other.close()
    }
  })
})

describe('a guest that ends', () => {
  it('takes its socket away when told to, and exits 0', async () => {
    const solo = await Solo.open()
    try {
      expect(await solo.end('SIGTERM')).to.equal(0)
      expect(existsSync(solo.socket)).to.equal(false)
      expect(solo.errors).to.equal('')
    } finally {
      await solo.close()
    }
  })

  it('ends on request, after the answer', async () => {
    const solo = await Solo.open()
    try {
      const over = ended(solo.process as NonNullable<typeof solo.process>)
      expect((await solo.call('POST', '/v1/exit')).status).to.equal(204)
      expect(await over).to.equal(0)
    } finally {
      await solo.close()
    }
  })

  it('is followed by another over its dead socket', async () => {
    const solo = await Solo.open()
    try {
      const { nonce } = await solo.json<Hello>('GET', '/v1/hello')
      await solo.end('SIGKILL')
      expect(existsSync(solo.socket)).to.equal(true)
      await solo.start()
      expect((await solo.json<Hello>('GET', '/v1/hello')).nonce).not.to.equal(nonce)
    } finally {
      await solo.close()
    }
  })
})
