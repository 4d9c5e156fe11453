import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { Holder, type HolderListener } from '../../src/guest/sessions/holder.ts'
import { packet } from '../../src/native/index.ts'
import { Supply } from '../../src/guest/sessions/supply.ts'
import { Tag } from '../../src/guest/sessions/wire.ts'
import { Lab, until } from './lab.ts'

const nothing = () => {}
const listener: HolderListener = { together: (work) => work(), output: nothing, grew: nothing, ended: nothing, exited: nothing, keyboard: { taken: nothing }, door: { waits: nothing, entered: nothing }, empty: nothing, gone: nothing }
const launch = { argv: ['true'], env: {}, cwd: '/', user: undefined, tty: undefined, stdin: false, dir: '/nowhere', socket: '/nowhere/s' }

describe('the way to a holder', () => {
  let dir: string
  let path: string
  let server: Server
  let accepted: Socket[]
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'amux-holder-'))
    path = join(dir, 's')
    accepted = []
    server = createServer((socket) => void accepted.push(socket.on('error', nothing)))
    await new Promise<void>((resolve) => server.listen(path, resolve))
  })
  afterEach(() => {
    for (const socket of accepted) socket.destroy()
    server.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const started = packet(Tag.started, Buffer.of(0, 0, 0, 7, 0, 0, 0, 8))

  it('gets the answer whenever it comes: the connection is new, connecting, or waiting', async () => {
    server.on('connection', (socket) => socket.once('data', () => socket.write(started)))
    const supply = new Supply(path)
    const start = () => supply.take().start(launch, listener, [])
    for (let round = 0; round < 200; round++) {
      const starts = [start()]
      supply.restock()
      if (round % 3 === 1) await Promise.resolve()
      if (round % 3 === 2) await new Promise((resolve) => setImmediate(resolve))
      starts.push(start(), start())
      for (const { pid, leader } of await Promise.all(starts)) expect([pid, leader]).to.deep.equal([7, 8])
      for (const socket of accepted.splice(0)) socket.destroy()
    }
  })

  it('is not taken when it was refused or closed before it was asked', async () => {
    const spare = new Holder(path)
    await until(() => accepted.length === 1)
    expect(spare.fresh).to.equal(true)
    accepted[0]?.write(packet(Tag.failed, Buffer.of(2, 0, 0, 0, 11)))
    await until(() => !spare.fresh)
    const closed = new Holder(path)
    await until(() => accepted.length === 2)
    accepted[1]?.end()
    await until(() => !closed.fresh)
  })

  it('does not wait for ever', async () => {
    const said: Buffer[] = []
    server.on('connection', (socket) => socket.on('data', (chunk: Buffer) => void said.push(chunk)))
    const error: unknown = await new Holder(path, 100).start(launch, listener, []).catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'failed', message: 'the program did not start within 0.1 seconds' })
    await until(() => Buffer.concat(said).includes(packet(Tag.kill, Buffer.of(9, 0, 0, 0, 0))))
  })

  it('says when nobody is there', async () => {
    for (const where of [join(dir, 'none'), path]) {
      if (where === path) server.on('connection', (socket) => socket.destroy())
      const error: unknown = await new Holder(where).start(launch, listener, []).catch((reason: unknown) => reason)
      expect(error).to.have.property('code', 'unavailable')
    }
  })
})

describe('guest: programs at its first moment', () => {
  it('all start and all end', async () => {
    const lab = await Lab.open()
    try {
      for (let round = 0; round < 8; round++) {
        if (round > 0) await lab.start()
        const programs = await Promise.all(Array.from({ length: 6 }, (_, n) => lab.sh(`echo ${n}`)))
        expect(programs.map(({ stdout }) => stdout)).to.deep.equal(['0\n', '1\n', '2\n', '3\n', '4\n', '5\n'])
        lab.stop()
      }
    } finally {
      lab.close()
    }
  }).timeout(60_000)
})
