import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { bin, type Scratch } from '../support/amux.ts'
import { disposeAll, endSessions, killGuests, localScratch, sessions } from '../support/computers.ts'
import { alone, visited } from '../support/visits.ts'

interface Client {
  readonly pid: number
  /** What has come out of it. */
  readonly out: string
  readonly err: string
  readonly over: Promise<number>
}

describe('a program on this machine with much input, met past client and guest', () => {
  let amux: Scratch
  before(async () => {
    amux = await localScratch()
  })
  after(() => disposeAll(amux))
  afterEach(async () => {
    await endSessions(amux)
  })
  const list = () => sessions(amux)

  const size = 60_000_000
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  let file: string
  let bytes: Buffer
  before(() => {
    file = join(amux.home, 'input')
    bytes = randomBytes(size)
    writeFileSync(file, bytes)
  })

  function start(input: 'pipe' | number, ...argv: readonly string[]): Client & { write(from: Uint8Array): Promise<void>; end(): void } {
    const child = spawn(process.execPath, [bin, 'computer', 'exec', '-i', '--', ...argv], { cwd: amux.project, env: amux.env(), stdio: [input, 'pipe', 'pipe'] })
    const said = { out: '', err: '' }
    child.stdout?.on('data', (chunk: Buffer) => (said.out += chunk))
    child.stderr?.on('data', (chunk: Buffer) => (said.err += chunk))
    child.stdin?.on('error', () => undefined)
    return {
      pid: child.pid ?? 0,
      get out() {
        return said.out
      },
      get err() {
        return said.err
      },
      over: once(child, 'close').then(([status]) => status as number),
      write: (from) => new Promise((resolve) => child.stdin?.write(from, () => resolve())),
      end: () => child.stdin?.end(),
    }
  }

  it('gets it whole through a pipe', async () => {
    const client = start('pipe', 'sha256sum')
    await client.write(bytes.subarray(0, size / 2))
    await visited(client.pid)
    await client.write(bytes.subarray(size / 2))
    client.end()
    expect(await client.over, client.err).to.equal(0)
    expect(client.out).to.contain(digest(bytes))
  }).timeout(60_000)

  it('gets a file from where it stands', async () => {
    const fd = openSync(file, 'r')
    readSync(fd, Buffer.alloc(1000))
    const client = start(fd, 'sha256sum')
    expect(await client.over, client.err).to.equal(0)
    closeSync(fd)
    expect(client.out).to.contain(digest(bytes.subarray(1000)))
  }).timeout(60_000)

  it('gets it whole where it reads in fits and starts', async () => {
    const client = start('pipe', 'sh', '-c', '(head -c 20000000; sleep 0.5; head -c 20000000; sleep 0.5; cat) | sha256sum')
    const all = client.write(bytes)
    await visited(client.pid)
    await all
    client.end()
    expect(await client.over, client.err).to.equal(0)
    expect(client.out).to.contain(digest(bytes))
  }).timeout(60_000)

  it('gets it whole where the guest is killed meanwhile', async () => {
    const client = start('pipe', 'sh', '-c', '(head -c 20000000; sleep 1; cat) | sha256sum')
    const all = client.write(bytes)
    await visited(client.pid)
    killGuests(amux)
    await all
    client.end()
    expect(await client.over, client.err).to.equal(0)
    expect(client.out).to.contain(digest(bytes))
  }).timeout(60_000)

  it('may read no more: whoever writes learns of it', async () => {
    const client = start('pipe', 'sh', '-c', 'head -c 30000000 | wc -c; exec 0<&-; sleep 0.5; exit 6')
    void client.write(bytes)
    await visited(client.pid)
    expect(await client.over, client.err).to.equal(6)
    expect(client.out.trim()).to.equal('30000000')
  }).timeout(60_000)

  it('ends while more is awaited', async () => {
    const client = start('pipe', 'sh', '-c', 'head -c 20000000 | wc -c; sleep 1; exit 4')
    void client.write(bytes.subarray(0, 20_000_000))
    await visited(client.pid)
    expect(await client.over, client.err).to.equal(4)
  }).timeout(60_000)

  it('may have lost some where the program in between was killed: that is said, and it goes on', async () => {
    const client = start('pipe', 'sh', '-c', 'head -c 20000000 >/dev/null; sleep 2; wc -c; exec sleep 100')
    void client.write(bytes)
    process.kill(await visited(client.pid), 'SIGKILL')
    expect(await client.over).to.equal(125)
    expect(client.err).to.contain('amux: some of the input may be lost; back in with: amux computer attach')
    expect((await list())[0]?.state.status).to.equal('running')
  }).timeout(60_000)

  it('ends with Ctrl-C', async () => {
    const client = start('pipe', 'sh', '-c', 'head -c 20000000 >/dev/null; exec sleep 100')
    void client.write(bytes)
    const visit = await visited(client.pid)
    process.kill(client.pid, 'SIGINT')
    expect(await client.over).to.equal(130)
    await alone(visit)
  }).timeout(60_000)
})
