import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Frame, OWNER_WINDOW } from '../../src/protocol/index.ts'
import { Lab, until } from './lab.ts'

const tty = { cols: 80, rows: 24 }

describe('guest: who may slow a program', () => {
  let lab: Lab
  before(async () => (lab = await Lab.open()))
  after(() => lab.close())

  const logged = async (id: string) => {
    const log = lab.logs(id, '?tail=1')
    await log.over
    return log.done?.stdout ?? 0
  }

  it('an owner, by not acknowledging', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'head -c 40000000 /dev/zero; echo over >&2'] }, { ack: false, count: true })
    await program.until(({ received }) => received.stdout >= OWNER_WINDOW)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(program.received.stdout).to.equal(OWNER_WINDOW)
    expect(program.stderr).to.equal('')
    program.tell(Frame.detach)
    await lab.call('GET', `/v1/sessions/${program.session.id}?wait=1`)
    expect(await logged(program.session.id)).to.equal(40_000_000)
    program.drop()
  })

  it('an owner, by not reading; nothing is lost', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'seq 1 2000000'] })
    await program.started()
    program.stream.pause()
    await new Promise((resolve) => setTimeout(resolve, 300))
    program.stream.resume()
    await program.over
    expect(program.done?.stdout).to.equal(program.bytes.length)
    expect(program.stdout.endsWith('\n1999999\n2000000\n')).to.equal(true)
  }).timeout(40_000)

  it('no viewer, even one that never reads; it is told what it missed', async () => {
    const owner = lab.exec({ argv: ['sh', '-c', 'read go; head -c 60000000 /dev/zero | tr "\\0" x; read more; echo end'] }, { count: true })
    await owner.started()
    const viewer = await lab.attach({ id: owner.session.id, readOnly: true }, { count: true }).started()
    viewer.stream.pause()
    owner.type('go\n')
    await owner.until(({ received }) => received.stdout === 60_000_000)
    viewer.stream.resume()
    owner.type('more\n')
    await Promise.all([owner.over, viewer.over])
    const missed = viewer.skipped.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(viewer.received.stdout, 'marks and bytes add up').to.equal(60_000_004)
    expect(missed).to.be.greaterThan(20_000_000)
    expect(viewer.exit).to.deep.equal({ code: 0 })
  }).timeout(40_000)

  it('no viewer of a terminal: it gets a new picture', async () => {
    const owner = lab.exec({ argv: ['sh', '-c', 'stty -echo; read go; yes 0123456789 | head -c 12000000; echo the end; read more'], tty }, { count: true })
    await owner.started()
    const viewer = await lab.attach({ id: owner.session.id, readOnly: true }).started()
    viewer.stream.pause()
    owner.type('go\n')
    await owner.until(({ received }) => received.stdout > 12_000_000)
    viewer.stream.resume()
    await viewer.until(({ skipped }) => skipped.length > 0)
    await viewer.saw('the end')
    owner.type('more\n')
    await Promise.all([owner.over, viewer.over])
    expect(viewer.bytes.length).to.be.lessThan(8_000_000)
  }).timeout(60_000)

  it('nobody, once it is detached: the last 16 MiB are kept', async () => {
    const { session } = await lab.exec({ argv: ['sh', '-c', 'seq 1 6000000'], detached: true }, { count: true }).started()
    await lab.call('GET', `/v1/sessions/${session.id}?wait=1`)
    const log = lab.logs(session.id, '?stream=stdout&follow=1')
    await log.over
    const total = log.done?.stdout ?? 0
    const floor = log.marks[0]?.[1] ?? 0
    expect(total).to.equal(46_888_896)
    expect(total - floor).to.be.within(16 << 20, 21 << 20)
    expect(log.stdout.endsWith('\n5999999\n6000000\n')).to.equal(true)
    const below = lab.logs(session.id, '?stream=stdout&from=100')
    await below.over
    expect(below.marks[0]).to.deep.equal([1, floor])
    const part = lab.logs(session.id, `?stream=stdout&from=${total - 8}`)
    await part.over
    expect(part.stdout).to.equal('6000000\n')
    const tail = lab.logs(session.id, '?tail=3')
    await tail.over
    expect(tail.stdout).to.equal('5999998\n5999999\n6000000\n')
  }).timeout(60_000)

  it('not even ten thousand lines a second', async () => {
    const script = 'for i in $(seq 1 30); do seq 1 1000; sleep 0.08; done'
    const both = [lab.exec({ argv: ['sh', '-c', script], tty }), lab.exec({ argv: ['sh', '-c', script] })]
    await Promise.all(both.map((program) => program.over))
    for (const program of both) expect(program.stdout.replaceAll('\r', '')).to.equal(`${Array.from({ length: 1000 }, (_, index) => index + 1).join('\n')}\n`.repeat(30))
  })

  it('gives both streams of a log in the order they were written', async () => {
    const script = 'for i in 1 2 3 4 5; do echo out$i; sleep 0.03; echo err$i >&2; sleep 0.03; done'
    const { session } = await lab.exec({ argv: ['sh', '-c', script], detached: true }).started()
    await lab.call('GET', `/v1/sessions/${session.id}?wait=1`)
    const seen: string[] = []
    const log = lab.logs(session.id, '?follow=1')
    await log.over
    const text = { stdout: log.stdout, stderr: log.stderr }
    expect(text).to.deep.equal({ stdout: 'out1\nout2\nout3\nout4\nout5\n', stderr: 'err1\nerr2\nerr3\nerr4\nerr5\n' })
    seen.push(...log.order)
    expect(seen).to.deep.equal(['stdout', 'stderr', 'stdout', 'stderr', 'stdout', 'stderr', 'stdout', 'stderr', 'stdout', 'stderr'])
    const tail = lab.logs(session.id, '?tail=3')
    await tail.over
    expect([tail.stdout, tail.stderr]).to.deep.equal(['out5\n', 'err4\nerr5\n'])
  })

  it('not even a full disk: an owner gets everything', async () => {
    const small = await Lab.open(['prlimit', '--fsize=3000000'])
    try {
      const program = await small.sh('seq 1 3000000')
      expect([program.skipped, program.exit]).to.deep.equal([[], { code: 0 }])
      expect(program.bytes.length).to.equal(22_888_896)
      expect(program.stdout.endsWith('\n2999999\n3000000\n')).to.equal(true)
      const { session } = await small.exec({ argv: ['seq', '1', '3000000'], detached: true }, { count: true }).started()
      const { body } = await small.call('GET', `/v1/sessions/${session.id}?wait=1`)
      expect(JSON.parse(body.toString())).to.have.nested.property('state.code', 0)
    } finally {
      small.close()
    }
  })

  it('not the one who types without end: signals and acknowledgements get through', async () => {
    const program = lab.exec({ argv: ['sleep', '1000'] })
    await program.started()
    for (let sent = 0; sent < 900_000; sent += 90_000) program.type(Buffer.alloc(90_000))
    program.tell(Frame.signal, 'SIGTERM')
    await program.over
    expect(program.exit).to.deep.equal({ signal: 'SIGTERM' })
    expect(Number(program.taken)).to.be.greaterThan(0)
    await until(async () => (await lab.hello()).livingSessions === 0)
  })
})
