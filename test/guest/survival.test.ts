import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { Frame } from '../../src/protocol/index.ts'
import { alive, INIT, Lab, until } from './lab.ts'

const tty = { cols: 80, rows: 24 }
/** Each line is a number; nothing may be missing or double. */
const counted = (text: string) => text.replaceAll('\r', '').trim().split('\n').map(Number)
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe('guest: what survives', () => {
  let lab: Lab
  beforeEach(async () => (lab = await Lab.open()))
  afterEach(() => lab.close())

  const start = async (script: string, more = {}) => (await lab.exec({ argv: ['sh', '-c', script], detached: true, ...more }).started()).session.id

  it('a killed guest loses neither a session nor a byte', async () => {
    const ids = [await start('seq 1 100000; sleep 0.5; seq 100001 600000'), await start('seq 1 100000; sleep 0.5; seq 100001 300000', { tty })]
    for (let round = 0; round < 3; round++) await lab.killGuest()
    for (const [index, id] of ids.entries()) {
      const info = JSON.parse((await lab.call('GET', `/v1/sessions/${id}?wait=1`)).body.toString()) as { state: object }
      expect(info.state).to.deep.include({ status: 'exited', code: 0 })
      const log = lab.logs(id, '?follow=1')
      await log.over
      expect(counted(log.stdout)).to.deep.equal(upTo(index === 0 ? 600_000 : 300_000))
    }
  }).timeout(60_000)

  it('an owner goes on exactly where it was after the guest was killed', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; [ $((i % 100)) = 0 ] && sleep 0.02; done; exit 8'] }, { ack: false })
    await program.until(({ received }) => received.stdout > 2000)
    const { id } = program.session
    await lab.killGuest()
    const back = lab.attach({ id, from: program.received })
    await back.over
    expect(counted(program.stdout + back.stdout)).to.deep.equal(upTo(3000))
    expect(back.exit).to.deep.equal({ code: 8 })
    await until(async () => (await lab.list()).length === 0)
  })

  it('an owner whose connection was cut goes on from what it acknowledged', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'seq 1 400000; sleep 0.3; seq 400001 450000; echo bad >&2'] }, { ack: false })
    await program.until(({ received }) => received.stdout > 1_000_000)
    program.acknowledge()
    const [{ stdout: from }, head] = [program.acked, program.stdout]
    await program.until(({ received }) => received.stdout > from + 500_000)
    lab.cut()
    await until(async () => !(await lab.info(program.session.id)).owned)
    const log = lab.logs(program.session.id, '?stream=stdout')
    await log.over
    expect(log.marks[0]?.[1], 'the log begins with what was not acknowledged').to.be.at.least(from)
    const back = lab.attach({ id: program.session.id, from: { stdout: from, stderr: 0 } })
    await back.over
    expect(back.skipped).to.deep.equal([])
    expect(counted(head.slice(0, from) + back.stdout)).to.deep.equal(upTo(450_000))
    expect(back.stderr).to.equal('bad\n')
  }).timeout(40_000)

  it('input is neither lost nor doubled when the guest is killed', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'sleep 0.5; exec wc -lc'] })
    await program.started()
    const data = Buffer.from(upTo(100_000).join('\n'))
    program.type(data)
    await program.until(({ taken }) => taken > 0n)
    await lab.killGuest()
    const back = await lab.attach({ id: program.session.id }).until(({ types }) => types.includes(Frame.taken))
    back.type(data.subarray(Number(back.taken)))
    back.eof()
    await back.over
    expect(back.stdout.trim().split(/\s+/).map(Number)).to.deep.equal([99_999, data.length])
  })

  it('a program that ends while no guest is there has its exit status', async () => {
    const id = await start('sleep 0.2; exit 77')
    const { pid } = await lab.hello()
    const init = supervisor(pid)
    process.kill(init, 'SIGSTOP')
    process.kill(pid, 'SIGKILL')
    lab.cut()
    await until(() => readdirSync(join(lab.dir, 'sessions', id)).includes('exit'))
    expect(readFileSync(join(lab.dir, 'sessions', id, 'exit'), 'utf8')).to.equal('exited 77\n')
    process.kill(init, 'SIGCONT')
    await until(async () => (await lab.hello().catch(() => undefined)) !== undefined)
    expect((await lab.info(id)).state).to.deep.include({ status: 'exited', code: 77 })
  })

  it('paints the same screen after the guest was killed', async () => {
    const id = await start(String.raw`printf '\033[?1049h\033[2J\033[3;7HALT \033[31mred\033[0m'; read x; sleep 100`, { tty })
    const before = await lab.attach({ id, size: tty }).until(({ marks }) => marks.length > 0)
    await lab.killGuest()
    const after = await lab.attach({ id, size: tty }).until(({ marks }) => marks.length > 0)
    expect(after.stdout).to.equal(before.stdout)
    after.type('x')
    await after.until(({ stdout }) => stdout.endsWith('x'))
  })

  it('says what a stop ended, and keeps the logs', async () => {
    const living = await start('trap "exit 3" TERM; echo words; while :; do sleep 0.05; done')
    const ended = await start('exit 5')
    await lab.call('GET', `/v1/sessions/${ended}?wait=1`)
    await lab.logs(living, '?follow=1').saw('words')
    lab.stop()
    await lab.start()
    expect((await lab.info(living)).state).to.deep.include({ status: 'ended', reason: 'stopped' })
    expect((await lab.info(ended)).state).to.deep.include({ status: 'exited', code: 5 })
    const log = lab.logs(living)
    await log.over
    expect(log.stdout).to.equal('words\n')
  })

  it('says of what a restore ended that it was one, and of the next that it was none', async () => {
    const first = await start('sleep 1052')
    expect(await lab.call('POST', '/v1/ending', { reason: 'restored' })).to.include({ status: 204 })
    lab.stop()
    await lab.start()
    expect((await lab.info(first)).state).to.deep.include({ status: 'ended', reason: 'restored' })
    const second = await start('sleep 1053')
    lab.stop()
    await lab.start()
    expect((await lab.info(second)).state).to.deep.include({ status: 'ended', reason: 'stopped' })
    expect(await lab.call('POST', '/v1/ending', { reason: 'bored' })).to.include({ status: 400 })
  })

  it('says so also of what ended without a goodbye', async () => {
    const id = await start('sleep 1054')
    await lab.call('POST', '/v1/ending', { reason: 'restored' })
    process.kill(supervisor((await lab.hello()).pid), 'SIGKILL')
    lab.cut()
    await until(() => !ps().includes(lab.dir))
    await lab.start()
    const { state } = await lab.info(id)
    // The end that its holder makes may be noticed first.
    if (state.status !== 'killed') expect(state).to.deep.include({ status: 'ended', reason: 'restored' })
  })

  it('tells everybody that the computer stops', async () => {
    const owner = lab.exec({ argv: ['sleep', '1051'] })
    const { session } = await owner.started()
    const viewer = await lab.attach({ id: session.id, readOnly: true }).until(({ types }) => types.includes(Frame.session))
    lab.stop(false)
    await Promise.all([owner.over, viewer.over])
    for (const { error } of [owner, viewer]) expect(error).to.include({ code: 'not_running', message: 'the computer was stopped' })
  })

  it('ends everything when the supervisor is killed, and says so afterwards', async () => {
    const id = await start('echo $$; (setsid sleep 1031 &); sleep 1032', {})
    const leader = (await lab.info(id)).pid
    const { pid } = await lab.hello()
    process.kill(supervisor(pid), 'SIGKILL')
    lab.cut()
    await until(() => !alive(leader) && !alive(pid) && !ps().includes('sleep 1031'))
    await until(() => !ps().includes(lab.dir))
    await lab.start()
    const { state } = await lab.info(id)
    // The end that its holder makes may be noticed first.
    if (state.status !== 'killed') expect(state).to.deep.include({ status: 'ended', reason: 'stopped' })
  })

  it('says when a holder was killed', async () => {
    const id = await start('sleep 1041')
    const { pid: leader } = await lab.info(id)
    process.kill(supervisor(leader), 'SIGKILL')
    const info = JSON.parse((await lab.call('GET', `/v1/sessions/${id}?wait=1`)).body.toString()) as { state: object }
    expect(info.state).to.deep.include({ status: 'ended', reason: 'lost' })
    process.kill(leader, 'SIGKILL')
  })

  it('starts once, however many start it', async () => {
    const { nonce } = await lab.hello()
    await Promise.all([lab.start(), lab.start(), lab.start()])
    expect((await lab.hello()).nonce).to.equal(nonce)
  })

  it('replaces the guest when its command changes; sessions live on', async () => {
    const id = await start('read x; echo "$x"; exit 4')
    const { nonce, pid } = await lab.hello()
    execFileSync(INIT, ['start', lab.file, '--', process.execPath, '--no-warnings', join(import.meta.dirname, '../../src/guest/main.ts')])
    lab.cut()
    expect((await lab.hello()).nonce).not.to.equal(nonce)
    expect(alive(pid)).to.equal(false)
    await lab.call('POST', `/v1/sessions/${id}/input`, Buffer.from('still here\n'))
    expect(JSON.parse((await lab.call('GET', `/v1/sessions/${id}?wait=1`)).body.toString()).state).to.deep.include({ code: 4 })
  })

  it('bridges standard input and output to a socket, each direction ending on its own', async () => {
    const { createServer } = await import('node:net')
    const path = join(lab.dir, 'echo.sock')
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const pieces: Buffer[] = []
      socket.on('data', (piece) => pieces.push(piece))
      socket.on('end', () => socket.end(Buffer.concat(pieces)))
    })
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const bridge = spawn(INIT, ['bridge', path])
    const pieces: Buffer[] = []
    bridge.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    const data = Buffer.alloc(3_000_000, 'bridge')
    bridge.stdin.end(data)
    const code = await new Promise((resolve) => bridge.once('close', resolve))
    server.close()
    expect([code, Buffer.concat(pieces).equals(data)]).to.deep.equal([0, true])
  })
})

function ps(): string {
  return execFileSync('ps', ['-eo', 'args=']).toString()
}

function supervisor(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}
