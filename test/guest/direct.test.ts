import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { FrameDecoder, frame, jsonFrame } from '../../src/emulation/client/frames.ts'
import { Frame, Path } from '../../src/protocol/index.ts'
import { Lab } from './lab.ts'

interface Answer {
  readonly stdout: string
  readonly frames: readonly { readonly type: number; readonly payload: string }[]
}

describe('the direct socket', () => {
  let lab: Lab
  let nonce: string
  before(async () => {
    lab = await Lab.open()
    nonce = (await lab.hello()).nonce
  })
  after(() => lab.close())

  const dial = (): Socket => connect({ path: join(lab.config.run, 'direct.sock'), allowHalfOpen: true })

  async function answer(socket: Socket): Promise<Answer> {
    let stdout = ''
    const frames: { type: number; payload: string }[] = []
    const decoder = new FrameDecoder({
      output: (_, piece) => (stdout += piece.toString()),
      control: (type, payload) => void frames.push({ type, payload: payload.toString() }),
    })
    socket.on('data', (chunk: Buffer) => decoder.push(chunk))
    await once(socket, 'end')
    socket.end()
    return { stdout, frames }
  }

  async function ask(...pieces: readonly (string | Buffer)[]): Promise<Answer> {
    const socket = dial()
    const answered = answer(socket)
    for (const piece of pieces) {
      socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return answered
  }

  const line = (request: unknown): string => `${JSON.stringify(request)}\n`
  const program = (argv: readonly string[]) => jsonFrame(Frame.open, { argv, stdin: true })
  const refusal = ({ frames }: Answer): unknown => (JSON.parse(frames.find(({ type }) => type === Frame.error)?.payload ?? '{}') as { code?: unknown }).code

  it('runs a program, however its words are cut', async () => {
    const whole = Buffer.concat([Buffer.from(line({ path: Path.exec, nonce })), program(['sh', '-c', 'cat; exit 4']), frame(Frame.stdin, 'hello'), frame(Frame.eof)])
    for (const cut of [whole.length, 1, 30, whole.indexOf('\n') + 1]) {
      const { stdout, frames } = await ask(whole.subarray(0, cut), whole.subarray(cut))
      expect(stdout).to.equal('hello')
      expect(frames.find(({ type }) => type === Frame.exit)?.payload).to.equal('{"code":4}')
    }
  })

  it('refuses what is meant for another guest, and does nothing', async () => {
    const file = join(lab.dir, 'touched')
    expect(refusal(await ask(line({ path: Path.exec, nonce: 'another' }), program(['touch', file])))).to.equal('conflict')
    expect(refusal(await ask(line({ path: Path.exec, nonce }), program(['ls', file])))).to.equal(undefined)
    const { frames } = await ask(line({ path: Path.exec, nonce }), program(['test', '-e', file]), frame(Frame.eof))
    expect(frames.find(({ type }) => type === Frame.exit)?.payload).to.equal('{"code":1}')
  })

  it('says why a program was not started', async () => {
    expect(refusal(await ask(line({ path: Path.exec }), program(['no-such-program'])))).to.equal('program_not_found')
    expect(refusal(await ask(line({ path: Path.attach }), jsonFrame(Frame.open, { id: 'nothing' })))).to.equal('not_found')
  })

  it('resets the program of a tunnel whose client breaks off, or says what is no part of one', async () => {
    const ends: (string | undefined)[] = []
    const server = createServer((socket) => socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code)).write('x'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const last = [frame(Frame.stdin, 'half').subarray(0, 7), frame(Frame.resize), Buffer.of(Frame.stdin, 255, 255, 255, 255)]
    for (const [n, bytes] of last.entries()) {
      const socket = dial()
      socket.write(line({ path: Path.tunnel, nonce, host: '127.0.0.1', port }))
      await once(socket, 'data')
      if (n === 0) socket.end(bytes)
      else socket.write(bytes)
      await once(socket.resume(), 'end')
      socket.destroy()
    }
    while (ends.length < last.length) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(ends).to.deep.equal(last.map(() => 'ECONNRESET'))
    server.close()
  })

  it('takes no nonsense, and lives on', async () => {
    for (const nonsense of ['hello\n', '{}\n', '[]\n', 'null\n', line({ path: '/v1/sessions' }), line({ path: Path.tunnel, port: 'x' }), `${'x'.repeat(10_000)}\n`, 'x'.repeat(10_000)]) {
      expect(refusal(await ask(nonsense)), nonsense.slice(0, 20)).to.equal('invalid_argument')
    }
    const leaving = dial()
    leaving.write('{"path"')
    leaving.destroy()
    expect((await ask(line({ path: Path.exec }), program(['echo', 'alive']))).stdout).to.equal('alive\n')
  })
})
