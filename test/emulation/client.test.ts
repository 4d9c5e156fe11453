import { expect } from 'chai'
import { after, before, afterEach, describe, it } from 'mocha'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectEndpoint, GuestClient } from '../../src/emulation/index.ts'
import { dialUnix } from '../../src/emulation/client/index.ts'
import { Lab } from './lab.ts'

describe('the guest client', () => {
  let lab: Lab
  before(async () => (lab = await Lab.open()))
  afterEach(() => lab.faults.heal())
  after(() => lab.close())

  it('never takes a file for whole that was cut off, whoever cut it', async () => {
    const computer = await lab.computer()
    const run = await computer.spawn(['sh', '-c', 'head -c 50000000 /dev/zero > "$HOME/much"; echo "$HOME"'])
    let home = ''
    for await (const chunk of run.stdout) home += Buffer.from(chunk).toString()
    for (const cut of ['connection', 'client'] as const) {
      let bytes = 0
      const error = await (async () => {
        for await (const chunk of computer.files.read(`${home.trim()}/much`)) {
          if (bytes === 0) await (cut === 'client' ? computer.stop() : Promise.resolve(lab.faults.cut()))
          bytes += chunk.length
        }
      })().catch((reason: unknown) => reason)
      expect(error, `${bytes} bytes, and no error`).to.include({ code: 'connection_lost' })
      if (cut === 'client') await computer.start()
    }
  })

  it('is not held up by a program whose output nobody reads', async () => {
    const computer = await lab.computer()
    const stuck = await Promise.all(Array.from({ length: 10 }, () => computer.spawn(['cat', '/dev/zero'])))
    for (let n = 0; n < 20; n++) expect(await say(computer, `echo ${n}`)).to.equal(String(n))
    await Promise.all(stuck.map((program) => program.kill('SIGKILL')))
    await Promise.all(stuck.map((program) => program.exit))
  })

  it('keeps little of what nobody reads', async () => {
    const computer = await lab.computer()
    await computer.sessions.list()
    const before = process.memoryUsage().rss
    const program = await computer.spawn(['cat', '/dev/zero'])
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect((process.memoryUsage().rss - before) / 1e6).to.be.lessThan(60)
    await program.kill('SIGKILL')
    await program.exit
  })

  it('answers garbage with an error, and serves on', async () => {
    const computer = await lab.computer()
    expect(await say(computer, 'echo ok')).to.equal('ok')
    lab.faults.garbage = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(50))
    const error = await computer.sessions.start(['sleep', '1000']).catch((reason: unknown) => reason)
    expect(error).to.have.property('code').that.is.oneOf(['connection_lost', 'corrupt', 'failed'])
    await computer.sessions.list()
    expect(await say(computer, 'echo ok')).to.equal('ok')
  })

  it('does not wait for ever for a guest that says nothing sensible', async () => {
    const fake = await listening((socket) => void socket.end('garbage'))
    const client = new GuestClient({ dial: () => dialUnix(fake.path), computer: 'fake', provider: 'none' })
    const error = await client.hello().catch((reason: unknown) => reason)
    expect(error).to.include({ computer: 'fake', provider: 'none' }).and.have.property('code').that.is.oneOf(['connection_lost', 'corrupt', 'failed'])
    client.close()
    await fake.close()
  })

  it('is given up on request where nobody answers', async () => {
    const fake = await listening(() => {})
    const client = new GuestClient({ dial: () => dialUnix(fake.path) })
    for (const work of [
      (signal: AbortSignal) => client.hello(signal),
      (signal: AbortSignal) => client.spawn(['true'], { signal }),
      (signal: AbortSignal) => client.sessions.attach('x', { signal }),
      (signal: AbortSignal) => client.tunnel(1, { signal }),
    ]) {
      const error = await work(AbortSignal.timeout(30)).then(() => undefined, (reason: unknown) => reason)
      expect(error).to.have.property('code').that.is.oneOf(['timeout', 'aborted'])
    }
    client.close()
    await fake.close()
  })

  it('tells a missing guest from a missing computer', async () => {
    const error = await dialUnix('/tmp/amux-no-such-socket').catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'unavailable' })
  })

  it('does nothing at a guest other than the one known', async () => {
    const computer = await lab.computer()
    await computer.sessions.list()
    const socket = JSON.parse(await say(computer, 'cat "$HOME/.local/share/amux-guest/guest.json"')) as { run: string }
    const endpoint = { unix: join(socket.run, 'guest.sock'), computer: computer.name, provider: 'process' }
    const wrong = connectEndpoint({ ...endpoint, nonce: 'another' })
    const error = await wrong.sessions.start(['touch', 'made']).catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'conflict' })
    expect(await say(computer, 'ls made 2>/dev/null || echo none')).to.equal('none')
    wrong.close()
    const { nonce } = await connectedHello(endpoint.unix)
    const right = connectEndpoint({ ...endpoint, nonce })
    const live = await right.sessions.start(['sh', '-c', 'exit 3'])
    expect(await live.exit).to.deep.equal({ code: 3 })
    right.close()
  })

  it('leaves sessions behind when it is killed, at the byte it had shown', async () => {
    const raw = await lab.create()
    const computer = lab.equip(raw)
    await computer.sessions.list()
    const child = killable(lab.directory, raw.name)
    const id = await firstLine(child)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const back = await computer.sessions.attach(id)
    await back.stdin.write(Buffer.from('after\n'))
    await back.stdin.end()
    const parts: Uint8Array[] = []
    for await (const chunk of back.stdout) parts.push(chunk)
    expect(Buffer.concat(parts).toString()).to.match(/got:after\n$/)
    expect(await back.exit).to.deep.equal({ code: 0 })
    await computer.sessions.remove(id).catch(() => {})
  })

  it('pipes straight into streams, at their pace, without ending them', async () => {
    const { PassThrough } = await import('node:stream')
    const computer = await lab.computer()
    const live = await computer.sessions.start(['sh', '-c', 'head -c 9000000 /dev/zero; echo err >&2; exit 2'])
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    if (!('pipeTo' in live) || typeof live.pipeTo !== 'function') throw new Error('it has no pipeTo')
    const piping = (live.pipeTo({ stdout, stderr }) as Promise<void>).then(() => [stdout.end(), stderr.end()])
    const [out, err] = await Promise.all([length(stdout), length(stderr), piping])
    expect([out, err, await live.exit]).to.deep.equal([9_000_000, 4, { code: 2 }])
  })

  it('tells who pipes that the stream broke', async () => {
    const { Writable } = await import('node:stream')
    const computer = await lab.computer()
    const live = await computer.sessions.start(['sh', '-c', 'while :; do echo line; done'])
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })) })
    if (!('pipeTo' in live) || typeof live.pipeTo !== 'function') throw new Error('it has no pipeTo')
    const error = await (live.pipeTo({ stdout: broken, stderr: broken }) as Promise<void>).catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'connection_lost' })
    await live.kill('SIGKILL')
    await live.exit
  })
})

async function connectedHello(path: string) {
  const client = new GuestClient({ dial: () => dialUnix(path) })
  try {
    return await client.hello()
  } finally {
    client.close()
  }
}

/** A client in a process of its own that starts a session and prints its id. */
function killable(dataDir: string, name: string): ChildProcess {
  const source = join(import.meta.dirname, '../../src')
  const program = `
    import { equip } from '${source}/emulation/index.ts'
    import { processProvider, testKit } from '${source}/testkit/index.ts'
    const kit = await testKit()
    const provider = await processProvider.connect({ settings: {}, dataDir: ${JSON.stringify(dataDir)}, progress() {}, debug() {}, guest: kit })
    const computer = equip(await provider.get(${JSON.stringify(name)}), { descriptor: processProvider, kit })
    const live = await computer.sessions.start(['sh', '-c', 'echo started; while read line; do echo "got:$line"; done'])
    for await (const chunk of live.stdout) console.log(live.session.id)`
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text.split('\n')[0] ?? ''
}

async function listening(onSocket: (socket: Socket) => void): Promise<{ path: string; close(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'amux-fake-'))
  const path = join(directory, 's')
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onSocket(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    path,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      rmSync(directory, { recursive: true })
    },
  }
}

async function length(source: AsyncIterable<Buffer>): Promise<number> {
  let sum = 0
  for await (const chunk of source) sum += chunk.length
  return sum
}

async function say(computer: { spawn: Awaited<ReturnType<Lab['computer']>>['spawn'] }, script: string): Promise<string> {
  const program = await computer.spawn(['sh', '-c', script])
  let text = ''
  for await (const chunk of program.stdout) text += Buffer.from(chunk).toString()
  return text.trim()
}
