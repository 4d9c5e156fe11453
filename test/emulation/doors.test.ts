import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, ftruncateSync, linkSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import type { EquippedComputer } from '../../src/contract/index.ts'
import type { Calls } from '../../src/emulation/client/calls.ts'
import { openDoor } from '../../src/emulation/client/doors.ts'
import { dialUnix, GuestClient } from '../../src/emulation/client/index.ts'
import { copyIn, copyOut, unpack } from '../../src/sync/index.ts'
import { opens, writes } from '../../src/tar/index.ts'
import { Solo } from '../guest/solo.ts'
import { tar } from '../guest/tar.ts'

const DOOR = /^a[0-9a-f]{8}$/

describe('archives that go from program to program', () => {
  let solo: Solo
  let client: GuestClient
  let base = ''

  beforeEach(async () => {
    solo = await Solo.open()
    client = clientOf()
    base = mkdtempSync(join(tmpdir(), 'amux-doors-'))
    mkdirSync(join(base, 'tree/sub'), { recursive: true })
    for (let at = 0; at < 50; at++) writeFileSync(join(base, `tree/sub/${at}`), `file ${at}`)
  })
  afterEach(async () => {
    client.close()
    await solo.close()
    rmSync(base, { recursive: true, force: true })
  })

  const run = () => join(solo.dir, 'run')
  const doors = () => readdirSync(run()).filter((name) => DOOR.test(name))
  const clientOf = (direct = join(run(), 'direct.sock')) => new GuestClient({ dial: () => dialUnix(solo.socket), direct: () => direct, accept: () => Promise.resolve(true) })
  const sides = () => Object.assign(client, { name: 'it' }) as unknown as EquippedComputer
  /** What the guest was asked, by what it has open. */
  const gone = async () => {
    while (children().length > 0 || doors().length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const children = () => {
    const parents = [process.pid, solo.process?.pid].map(String)
    const rows = execFileSync('ps', ['-A', '-o', 'ppid=,comm=']).toString().split('\n').map((row) => row.trim().split(' '))
    return rows.filter(([parent = '', name = '']) => parents.includes(parent) && name.startsWith('amux-init'))
  }
  const huge = (path: string) => {
    const file = openSync(path, 'w')
    ftruncateSync(file, 5_000_000_000)
    closeSync(file)
  }
  const refused = (work: Promise<unknown>) => work.then(() => expect.fail('it should have failed'), (error: Error & { readonly code: string }) => error)
  const until = async (what: () => boolean) => {
    while (!what()) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  /** Sees every way out of it that there is. */
  function watched() {
    const seen = { opened: 0, uploads: 0, downloads: 0 }
    const { archive } = client
    const wrapped: GuestClient['archive'] = {
      read(path, options) {
        const source = archive.read(path, options)
        if (!opens(source)) return source
        const openSocket = async (signal: AbortSignal | undefined) => {
          const opened = await source.openSocket(signal)
          if (opened) seen.opened++
          return opened
        }
        async function* read() {
          seen.downloads++
          yield* source
        }
        return Object.assign(read(), { openSocket })
      },
      write(path, source, options) {
        if (!writes(source)) return archive.write(path, source, options)
        const given = source.writeTo.bind(source)
        async function* read() {
          seen.uploads++
          yield* source
        }
        const writeTo: typeof given = (...args) => {
          seen.opened++
          return given(...args)
        }
        return archive.write(path, Object.assign(read(), { writeTo }), options)
      },
    }
    return { seen, sides: { ...sides(), name: 'it', files: client.files, archive: wrapped, spawn: client.spawn.bind(client) } as unknown as EquippedComputer }
  }

  it('both ways, and tell how far they are', async () => {
    const { seen, sides } = watched()
    const big = openSync(join(base, 'tree/big'), 'w')
    ftruncateSync(big, 300_000_000)
    closeSync(big)
    const counts: number[] = []
    const options = { signal: new AbortController().signal, onBytes: (count: number) => counts.push(count) }
    await copyIn(sides, join(base, 'tree'), join(solo.home, 'there'), options)
    await copyOut(sides, join(solo.home, 'there'), join(base, 'back'), options)
    execFileSync('diff', ['-r', join(base, 'tree'), join(base, 'back')])
    expect(seen).to.deep.equal({ opened: 2, uploads: 0, downloads: 0 })
    expect(Math.max(...counts)).to.be.greaterThan(1_000_000)
    await gone()
  })

  it('otherwise where a door cannot be reached', async () => {
    client.close()
    client = clientOf('/no/such/run/direct.sock')
    const { seen, sides } = watched()
    const options = { signal: new AbortController().signal }
    await copyIn(sides, join(base, 'tree'), join(solo.home, 'there'), options)
    await copyOut(sides, join(solo.home, 'there'), join(base, 'back'), options)
    execFileSync('diff', ['-r', join(base, 'tree'), join(base, 'back')])
    expect(seen).to.deep.equal({ opened: 0, uploads: 1, downloads: 1 })
    await gone()
  })

  it('say what is wrong at either end, in its words', async () => {
    const options = { signal: new AbortController().signal }
    mkdirSync(join(solo.home, 'there/tree/sub/7'), { recursive: true })
    expect(await refused(copyIn(sides(), join(base, 'tree'), join(solo.home, 'there'), options))).to.include({ code: 'conflict', message: 'unpacking stopped at "tree/sub/7": a directory is in its place' })
    mkdirSync(join(base, 'back/7'), { recursive: true })
    expect(await refused(copyOut(sides(), `${join(solo.home, 'there/tree/sub')}/.`, join(base, 'tree/sub'), options))).to.include({ code: 'conflict', message: 'a file is in the place of one of its directories'.replace(/^/, 'unpacking stopped at "7/": ') })
    expect(await refused(client.archive.write(join(solo.home, 'x'), of(tar({ name: '../up', body: 'x' }))))).to.include({ code: 'invalid_argument' })
    await gone()
  })

  it('end when they are told to, and leave nothing half written', async () => {
    huge(join(base, 'tree/zz'))
    const stop = new AbortController()
    const options = { signal: stop.signal }
    const copying = copyIn(sides(), join(base, 'tree'), join(solo.home, 'there'), options)
    await until(() => existsSync(join(solo.home, 'there/zz')))
    stop.abort(new Error('enough'))
    expect(await refused(copying)).to.have.property('message', 'enough')
    await gone()
    expect(existsSync(join(solo.home, 'there/sub/49'))).to.equal(true)
    expect(existsSync(join(solo.home, 'there/zz'))).to.equal(false)
    const again = new AbortController()
    huge(join(solo.home, 'there/zz'))
    const back = copyOut(sides(), join(solo.home, 'there'), join(base, 'back'), { signal: again.signal })
    await until(() => existsSync(join(base, 'back')) && readdirSync(join(base, 'back')).some((name) => name !== 'sub'))
    again.abort(new Error('enough'))
    expect(await refused(back)).to.have.property('message', 'enough')
    await gone()
    expect(readdirSync(join(base, 'back'))).to.deep.equal(['sub'])
  })

  for (const direction of ['in', 'out'] as const) {
    it(`end with a client that is killed: ${direction}`, async () => {
      const [from, to] = [join(base, 'tree'), join(solo.home, 'there')]
      const source = direction === 'in' ? from : to
      if (direction === 'out') mkdirSync(to)
      huge(join(source, 'zz'))
      const target = direction === 'in' ? to : join(base, 'back')
      const script = `
        import { dialUnix, GuestClient } from ${JSON.stringify(join(import.meta.dirname, '../../src/emulation/client/index.ts'))}
        import { copyIn, copyOut } from ${JSON.stringify(join(import.meta.dirname, '../../src/sync/index.ts'))}
        const client = new GuestClient({ dial: () => dialUnix(${JSON.stringify(solo.socket)}), direct: () => ${JSON.stringify(join(run(), 'direct.sock'))}, accept: () => Promise.resolve(true) })
        const sides = { name: 'it', files: client.files, archive: client.archive }
        await ${direction === 'in' ? 'copyIn' : 'copyOut'}(sides, ${JSON.stringify(source)}, ${JSON.stringify(target)}, { signal: new AbortController().signal })`
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script], { stdio: 'inherit' })
      await until(() => existsSync(target) && readdirSync(target).some((name) => name !== 'sub'))
      child.kill('SIGKILL')
      await once(child, 'close')
      await until(() => readdirSync(target).every((name) => name === 'sub'))
      await gone()
    })
  }

  it('otherwise where the program cannot be started here', async () => {
    const unable = Object.assign(of(tar({ name: 'file', body: 'x' })), {
      async writeTo(socket: Socket) {
        socket.destroy()
        throw Object.assign(new Error('spawn ETXTBSY'), { syscall: 'spawn', code: 'ETXTBSY' })
      },
    })
    await client.archive.write(join(solo.home, 'there'), unable)
    expect(readFileSync(join(solo.home, 'there/file'), 'utf8')).to.equal('x')
    await gone()
  })

  it('lead nowhere else: a link in the place of a door is none', async () => {
    const [away, inside] = [join(base, 'away.sock'), join(base, 'run')]
    mkdirSync(inside)
    const visits: unknown[] = []
    const server = createServer((socket) => visits.push(socket.destroy())).listen(away)
    await once(server, 'listening')
    try {
      symlinkSync(away, join(inside, 'aevil'))
      writeFileSync(join(inside, 'afile'), '')
      linkSync(away, join(inside, 'areal'))
      const door = async (name: string) => {
        const stream = new PassThrough()
        stream.write(`${JSON.stringify({ door: name })}\n`)
        // Of a connection only what is used here.
        const calls = { open: () => Promise.resolve({ stream }) } as unknown as Calls
        const opened = await openDoor(calls, () => Promise.resolve(inside), 'PUT', {}, undefined)
        opened?.socket.destroy()
        return opened !== undefined
      }
      expect([await door('aevil'), await door('afile'), await door('agone'), await door('../away.sock')]).to.deep.equal([false, false, false, false])
      expect(visits.length).to.equal(0)
      expect(await door('areal')).to.equal(true)
    } finally {
      server.close()
    }
  })

  it('say what is wrong here though the computer says nothing', async () => {
    const [here, there] = await new Promise<[Socket, Socket]>((resolve) => {
      const server = createServer({ pauseOnConnect: true }, (far) => {
        server.close()
        resolve([near, far])
      }).listen(join(base, 's'))
      const near = connect(join(base, 's')).pause()
    })
    there.write(tar({ name: '../up', body: 'x' }))
    let cancelled = false
    const silent = Object.assign(of(), {
      openSocket: () => Promise.resolve({ socket: here, finished: new Promise<void>((_, reject) => void (cancel = () => reject(new Error('cancelled')))), cancel: () => ((cancelled = true), cancel()) }),
    })
    let cancel = (): void => undefined
    const error = await refused(unpack(join(base, 'tree'), silent))
    expect(error.message).to.equal('unpacking stopped at "../up": its name leads out of the archive (..)')
    expect(cancelled).to.equal(true)
    there.destroy()
  })

  it('end with the guest, too', async () => {
    huge(join(base, 'tree/zz'))
    const copying = copyIn(sides(), join(base, 'tree'), join(solo.home, 'there'), { signal: new AbortController().signal })
    await until(() => existsSync(join(solo.home, 'there/zz')))
    await solo.end('SIGKILL')
    // The program it left goes on for as long as it is fed.
    const error = await refused(Promise.race([copying, new Promise((_, reject) => setTimeout(() => reject(new Error('it hangs')), 20_000).unref())]))
    expect(error).to.include({ code: 'connection_lost' })
    await until(() => !existsSync(join(solo.home, 'there/zz')))
    expect(readFileSync(join(solo.home, 'there/sub/3'), 'utf8')).to.equal('file 3')
  })
})

async function* of(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}
