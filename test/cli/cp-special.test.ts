import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

/** What is no plain file. The project is the directory one stands in. */
describe('amux computer cp and what is no plain file', () => {
  let amux: Scratch

  before(async () => {
    amux = await Scratch.make()
    await amux.run(['computer', 'create', '-P', 'local'])
    writeFileSync(here('file'), 'content')
    await sh('printf content > /tmp/file')
  })
  after(() => disposeAll(amux))

  const here = (path: string) => join(amux.project, path)
  const cp = async (...args: string[]) => {
    const { status, stdout, stderr } = await amux.run(['computer', 'cp', ...args])
    return { status, stdout, stderr }
  }
  const sh = async (line: string) => (await amux.run(['computer', 'exec', '--', 'sh', '-c', line])).stdout
  const mayMakeNodes = process.getuid?.() === 0

  it('writes into a device or a pipe here, and leaves it what it is', async () => {
    expect((await cp(':/tmp/file', '/dev/stdout')).stdout).to.equal('content')
    const redirected = spawnSync('sh', ['-c', '"$0" "$1" computer cp :/tmp/file /dev/stdout > out; "$0" "$1" computer cp :/tmp/file /dev/stdout >> out', process.execPath, bin], { cwd: amux.project, env: amux.env() })
    expect(redirected.status).to.equal(0)
    expect(readFileSync(here('out'), 'utf8')).to.equal('contentcontent')
    execFileSync('mkfifo', [here('pipe')])
    const reader = spawn('cat', [here('pipe')])
    const [copied, [read]] = await Promise.all([cp(':/tmp/file', 'pipe'), once(reader.stdout, 'data')])
    expect({ ...copied, read: String(read) }).to.deep.equal({ status: 0, stdout: '', stderr: '', read: 'content' })
    expect(lstatSync(here('pipe')).isFIFO()).to.equal(true)
    if (!mayMakeNodes) return
    execFileSync('mknod', ['-m', '666', here('full'), 'c', '1', '7'])
    const { status, stderr } = await cp(':/tmp/file', 'full')
    expect(status).to.equal(7)
    expect(stderr).to.contain('ENOSPC')
    expect(lstatSync(here('full')).isCharacterDevice()).to.equal(true)
    mkdirSync(here('nodes'))
    execFileSync('mknod', ['-m', '666', here('nodes/file'), 'c', '1', '3'])
    expect((await cp(':/tmp/file', 'nodes')).status).to.equal(0)
    expect(lstatSync(here('nodes/file')).isCharacterDevice()).to.equal(true)
    await sh('mkdir -p /tmp/tree/nodes && echo x > /tmp/tree/nodes/file')
    expect((await cp(':/tmp/tree/.', '.')).stderr).to.contain('a device or a pipe is in its place')
    expect(lstatSync(here('nodes/file')).isCharacterDevice()).to.equal(true)
  })

  it('writes into one on the computer, too', async () => {
    const { status, stderr } = await cp('file', ':/dev/full')
    expect(status).to.equal(1)
    expect(stderr).to.contain('/dev/full').and.contain('No space left')
    expect(await sh('mkfifo /tmp/pipe; (cat /tmp/pipe > /tmp/read 2> /dev/null &); [ -c /dev/full ] && echo device')).to.equal('device\n')
    expect(await cp('file', ':/tmp/pipe')).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    expect(await sh('[ -p /tmp/pipe ] && cat /tmp/read')).to.equal('content')
    await sh('ln -s /tmp/behind /tmp/way')
    expect((await cp('file', ':/tmp/way')).status).to.equal(0)
    expect(await sh('[ -h /tmp/way ] && cat /tmp/behind')).to.equal('content')
  })

  it('never writes through a link here: the computer may have put it there', async () => {
    writeFileSync(join(amux.path, 'precious'), 'precious')
    await sh('ln -s ../precious link')
    expect((await cp(':/tmp/file', 'link')).status).to.equal(0)
    expect(readFileSync(join(amux.path, 'precious'), 'utf8')).to.equal('precious')
    expect(lstatSync(here('link')).isFile()).to.equal(true)
  })

  it('leaves pipes and sockets in a directory out, and says so', async () => {
    mkdirSync(here('mixed'))
    writeFileSync(here('mixed/plain'), 'plain')
    execFileSync('mkfifo', [here('mixed/a pipe')])
    const server = createServer().listen(here('mixed/socket'))
    const { status, stderr } = await cp('mixed', ':/tmp/mixed')
    expect({ status, said: stderr.split('\n').toSorted() }).to.deep.equal({ status: 0, said: ['', 'amux: left out a pipe: a named pipe', 'amux: left out socket: a socket'] })
    expect(await sh('ls /tmp/mixed')).to.equal('plain\n')
    const alone = await cp('mixed/socket', ':/tmp/')
    expect(alone.status).to.equal(2)
    expect(alone.stderr).to.contain('is a socket')
    server.close()
  })

  it('reads a pipe that is named itself, and what tells no size', async () => {
    const streamed = spawnSync('bash', ['-c', '"$0" "$1" computer cp <(printf flowing) :/tmp/flowed', process.execPath, bin], { cwd: amux.project, env: amux.env(), encoding: 'utf8' })
    expect(streamed.status, streamed.stderr).to.equal(0)
    expect(await sh('cat /tmp/flowed')).to.equal('flowing')
    expect((await cp('/proc/self/mounts', ':/tmp/mounts')).status).to.equal(0)
    expect((await cp(':/proc/1/status', 'status')).status).to.equal(0)
    expect(await sh('wc -l < /tmp/mounts')).to.not.equal('0\n')
    expect(readFileSync(here('status'), 'utf8')).to.match(/^Name:/u)
    writeFileSync(here('empty'), '')
    expect((await cp('empty', ':/tmp/empty')).status).to.equal(0)
    expect(await sh('stat -c %s /tmp/empty')).to.equal('0\n')
  })

  it('gives up a pipe that nobody writes to, and reads one whose writer comes late', async () => {
    execFileSync('mkfifo', [here('waiting')])
    const given = await amux.run(['computer', 'cp', '--timeout', '1s', 'waiting', ':/tmp/waited'])
    expect(given).to.include({ status: 124, stdout: '' })
    const late = cp('waiting', ':/tmp/waited')
    await new Promise((resolve) => setTimeout(resolve, 300))
    writeFileSync(here('waiting'), 'late')
    expect((await late).status).to.equal(0)
    expect(await sh('cat /tmp/waited')).to.equal('late')
  })

  it('takes setuid bits off, both ways', async () => {
    mkdirSync(here('bits'))
    writeFileSync(here('bits/su'), 'x')
    chmodSync(here('bits/su'), 0o4755)
    expect(await cp('bits', ':/tmp/bits')).to.deep.equal({ status: 0, stdout: '', stderr: '' })
    expect(await sh('stat -c %a /tmp/bits/su; chmod 4755 /tmp/bits/su')).to.equal('755\n')
    expect((await cp(':/tmp/bits', 'back')).status).to.equal(0)
    expect(statSync(here('back/su')).mode & 0o7777).to.equal(0o755)
  })

  it('names what is wrong with a place, in words', async () => {
    const said = async (...args: string[]) => (await cp(...args)).stderr
    expect(await said(':/tmp/file', 'no/such/file')).to.contain(`there is no directory ${here('no/such')}`).and.not.contain('ENOENT')
    expect(await said('file', ':/tmp/file/')).to.contain('/tmp/file/ is there on').and.contain('is no directory')
    expect(await said(':/tmp/file', 'file/')).to.contain('file/ is no directory')
    expect(await said(':/tmp/file', '/proc/x')).to.not.contain('/proc/self/fd')
    expect(readdirSync(amux.project).filter((name) => name.startsWith('.amux-'))).to.deep.equal([])
  })
})
