import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { initProgram, PacketDecoder } from '../../src/native/index.ts'

const OVER = 4
const DOOR = 0

/** The program that stands in a client's place, where no holder answers as it should. */
describe('a visit that does not begin', () => {
  let dir: string
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'amux-visit-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  async function visit(kind: string, answer: (door: Socket) => void): Promise<readonly [tag: number, payload: Buffer][]> {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(join(dir, 's'), resolve))
    const door = connect(join(dir, 's'))
    door.pause()
    await once(door, 'connect')
    const child = spawn(initProgram() ?? 'none', ['visit', kind, '28'], { stdio: ['pipe', 'pipe', 'ignore', door, 'pipe'] })
    const said: [number, Buffer][] = []
    const decoder = new PacketDecoder({ packet: (tag, payload) => said.push([tag, Buffer.from(payload)]) }, 1 << 20)
    ;(child.stdio[4] as Duplex).on('data', (chunk: Buffer) => decoder.push(chunk))
    child.stdin?.on('error', () => undefined).write('typed')
    const [status] = (await once(child, 'close')) as [number]
    door.destroy()
    server.close()
    expect(status).to.equal(0)
    return said
  }

  const nothing = [[OVER, Buffer.of(DOOR, 0)]]

  for (const kind of ['keys', 'input']) {
    it(`says so where the holder closes at once, and has read nothing (${kind})`, async () => {
      expect(await visit(kind, (door) => door.destroy())).to.deep.equal(nothing)
    })

    it(`says so where the holder sends no descriptor (${kind})`, async () => {
      expect(await visit(kind, (door) => door.write('x'))).to.deep.equal(nothing)
    })

    it(`does not wait for ever (${kind})`, async () => {
      expect(await visit(kind, () => undefined)).to.deep.equal(nothing)
    })
  }
})
