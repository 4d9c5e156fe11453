import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spriteCheckpoints } from '../src/checkpoints/checkpoints.ts'
import { openExec } from '../src/exec/exec.ts'
import { spritePorts } from '../src/ports.ts'
import { descriptor } from '../src/register.ts'
import { Client } from '../src/service/client.ts'
import { collect } from '../src/service/collect.ts'
import { lines } from '../src/service/lines.ts'
import { Sprite } from '../src/sprite.ts'
import { Hostile } from './hostile-server.ts'
import { contextFor } from './support.ts'

const MB = 1_000_000
const at = '/v1/sprites/bad'

describe('a Sprites server that means no good, or is broken', () => {
  let hostile: Hostile
  let dataDir: string
  let client: Client
  let sprite: Sprite
  beforeEach(async () => {
    hostile = await Hostile.listen()
    dataDir = await mkdtemp(join(tmpdir(), 'amux-hostile-'))
    client = new Client({ url: hostile.url, token: 't', debug: () => {} })
    sprite = new Sprite('bad', client, await contextFor(hostile.url, 't', dataDir), false)
  })
  afterEach(async () => {
    client.close()
    hostile.close()
    await rm(dataDir, { recursive: true, force: true })
  })

  async function failure(work: () => Promise<unknown>): Promise<{ readonly code?: string; readonly message: string }> {
    return work().then(() => ({ message: 'nothing failed' }), (error: { readonly code: string; readonly message: string }) => error)
  }

  const piece = Buffer.alloc(65_536, '1')

  it('sends a document without end: it is given up', async () => {
    hostile.answers.set(`GET ${at}`, { head: '[', flood: piece })
    expect(await failure(() => client.json('GET', at))).to.include({ code: 'corrupt' })
    expect(hostile.taken).to.be.below(100 * MB)
  })

  it('sends a refusal without end, or a long one: what is said of it is short', async () => {
    hostile.answers.set(`GET ${at}`, { status: 400, head: '{"message":"', flood: piece })
    expect(await failure(() => client.json('GET', at))).to.include({ code: 'corrupt' })
    hostile.answers.set(`GET ${at}/long`, { status: 400, page: () => ({ message: 'x'.repeat(MB) }) })
    expect((await failure(() => client.json('GET', `${at}/long`))).message.length).to.be.below(2000)
    expect((await failure(() => client.socket(`${at}/exec`))).message.length).to.be.below(2000)
  })

  it('breaks off when it refuses: its status counts', async () => {
    hostile.refusals.set(`${at}/exec`, 'HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{"error":"not_f')
    expect(await failure(() => client.socket(`${at}/exec`))).to.deep.include({ code: 'not_found', message: 'the API answered 404' })
  })

  it('begins an answer and says no more: it is given up', async () => {
    hostile.answers.set(`GET ${at}`, { head: '{' })
    const { within } = await client.bytes('GET', at)
    expect(await failure(() => collect(within(50), 'it'))).to.include({ code: 'connection_lost' })
  })

  it('sends a line without end, in one go or in drops: it is given up', async () => {
    hostile.answers.set(`POST ${at}/checkpoint`, { head: '{"type":"', flood: piece })
    expect(await failure(async () => { for await (const _ of client.events('POST', `${at}/checkpoint`)); })).to.include({ code: 'corrupt' })
    expect(hostile.taken).to.be.below(40 * MB)
    async function* drops() {
      for (let n = 0; n < 200_000; n++) yield Buffer.alloc(16, 120)
    }
    expect(await failure(async () => { for await (const _ of lines(drops())); })).to.include({ code: 'corrupt' })
  })

  it('leaves lines as they are, wherever they are cut', async () => {
    const text = '{"a":1}\n\n{"b":"ü"}\nlast'
    for (let size = 1; size < 12; size++) {
      async function* cut() {
        for (let n = 0; n < Buffer.byteLength(text); n += size) yield Buffer.from(text).subarray(n, n + size)
      }
      const got: string[] = []
      for await (const line of lines(cut())) got.push(line.toString())
      expect(got).to.deep.equal(text.split('\n'))
    }
  })

  it('tells without end of a checkpoint: it is not kept', async () => {
    hostile.answers.set(`GET ${at}/checkpoints`, { page: () => [] })
    hostile.answers.set(`POST ${at}/checkpoint`, { flood: Buffer.from(`${JSON.stringify({ type: 'info', data: 'x'.repeat(60_000) })}\n`) })
    const before = process.memoryUsage().heapUsed
    const gaveUp = new AbortController()
    const made = failure(() => spriteCheckpoints(sprite).create({ signal: gaveUp.signal }))
    while (hostile.taken < 150 * MB) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(process.memoryUsage().heapUsed - before).to.be.below(80 * MB)
    gaveUp.abort()
    expect(await made).to.include({ code: 'aborted' })
  })

  it('has a list without end, or the same page for ever', async () => {
    const provider = await descriptor.connect(await contextFor(hostile.url, 't', dataDir))
    let n = 0
    const read = () => failure(async () => { for await (const _ of provider.list()); })
    hostile.answers.set('GET /v1/sprites', { page: () => ({ sprites: [], has_more: true, next_continuation_token: 'again' }) })
    expect(await read()).to.include({ code: 'corrupt' })
    expect(hostile.requests).to.equal(2)
    hostile.answers.set('GET /v1/sprites', { page: () => ({ sprites: [], has_more: true, next_continuation_token: String(n++) }) })
    expect(await read()).to.include({ code: 'corrupt' })
  })

  it('tells of ports without end: no more is taken than is read', async () => {
    hostile.sockets.set(`${at}/ports/watch`, (socket) => hostile.flood(socket, JSON.stringify({ type: 'port_opened', port: 1, address: 'x'.repeat(10_000), pid: 1 })))
    const events = spritePorts(sprite).events()[Symbol.asyncIterator]()
    await events.next()
    for (let before = -1; before !== hostile.taken; await new Promise((resolve) => setTimeout(resolve, 200))) before = hostile.taken
    expect(hostile.taken).to.be.below(40 * MB)
    await events.return?.()
  })

  it('has a program that talks without end where little was expected: it is left', async () => {
    hostile.sockets.set(`${at}/exec`, (socket) => {
      socket.send(JSON.stringify({ type: 'session_info', session_id: '1', command: 'x', created: 1, tty: false }))
      hostile.flood(socket, Buffer.concat([Buffer.of(1), piece]))
      socket.once('close', () => hostile.open--)
      hostile.open++
    })
    expect(await failure(() => sprite.run(['true']))).to.include({ code: 'corrupt' })
    while (hostile.open > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const program = await openExec(sprite, ['true'], { plain: true })
    // Nobody reads it.
    const before = hostile.taken
    for (let last = -1; last !== hostile.taken; await new Promise((resolve) => setTimeout(resolve, 200))) last = hostile.taken
    expect(hostile.taken - before).to.be.below(40 * MB)
    program.leave(new Error('over'))
  })
})
