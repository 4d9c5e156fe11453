import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { TerminalSize } from '../../src/contract/index.ts'
import { Interrupts } from '../../src/terminal/interrupt.ts'
import { Resizer, sizeOf } from '../../src/terminal/size.ts'
import { exitCode, signalName, statusOf } from '../../src/terminal/status.ts'

describe('exit statuses', () => {
  it('are the program\'s own, or 128 and the signal', () => {
    for (const code of [0, 1, 42, 126, 127, 130, 255]) expect(exitCode({ code })).to.equal(code)
    expect(exitCode({ signal: 'SIGHUP' })).to.equal(129)
    expect(exitCode({ signal: 'SIGINT' })).to.equal(130)
    expect(exitCode({ signal: 'SIGKILL' })).to.equal(137)
    expect(exitCode({ signal: 'SIGTERM' })).to.equal(143)
    expect(exitCode({ signal: 'SIGRTMIN+2' })).to.equal(164)
    expect(exitCode({ signal: 'SIG40' })).to.equal(168)
  })

  it('exist only for sessions that had one', () => {
    const endedAt = '2026-01-01T00:00:00Z'
    expect(statusOf({ status: 'exited', code: 3, endedAt })).to.deep.equal({ code: 3 })
    expect(statusOf({ status: 'killed', signal: 'SIGTERM', endedAt })).to.deep.equal({ signal: 'SIGTERM' })
    expect(statusOf({ status: 'ended', reason: 'stopped', endedAt })).to.equal(undefined)
    expect(statusOf({ status: 'running' })).to.equal(undefined)
  })
})

describe('signal names', () => {
  it('are taken as people write them', () => {
    for (const text of ['SIGTERM', 'TERM', 'term', 'sigterm', '15']) expect(signalName(text), text).to.equal('SIGTERM')
    expect(signalName('rtmin+1')).to.equal('SIGRTMIN+1')
    for (const text of ['', 'SIG', 'TERMINATE', '0', '99', 'constructor']) expect(signalName(text), text).to.equal(undefined)
  })
})

describe('Ctrl-C without a terminal of the program\'s own', () => {
  it('goes to the program first, and leaves when it comes again soon', () => {
    let now = 0
    const interrupts = new Interrupts(() => now)
    expect(interrupts.next()).to.equal('program')
    now = 2001
    expect(interrupts.next()).to.equal('program')
    now = 4001
    expect(interrupts.next()).to.equal('detach')
  })
})

describe('terminal size', () => {
  it('is that of the first stream that has one', () => {
    expect(sizeOf({}, { columns: 100, rows: 30 })).to.deep.equal({ cols: 100, rows: 30 })
    expect(sizeOf({ columns: 0, rows: 0 })).to.deep.equal({ cols: 80, rows: 24 })
  })

  it('is passed on one at a time, a storm of changes ending with the last', async () => {
    const sent: TerminalSize[] = []
    let answer: (() => void)[] = []
    const resizer = new Resizer({ cols: 80, rows: 24 }, (size) => {
      sent.push(size)
      return new Promise((resolve) => answer.push(resolve))
    })
    for (let cols = 81; cols <= 200; cols += 1) resizer.change({ cols, rows: 24 })
    expect(sent).to.deep.equal([{ cols: 81, rows: 24 }])
    for (let turn = 0; turn < 5; turn += 1) {
      for (const resolve of answer.splice(0)) resolve()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(sent).to.deep.equal([{ cols: 81, rows: 24 }, { cols: 200, rows: 24 }])
    answer = []
    resizer.change({ cols: 200, rows: 24 })
    expect(sent).to.have.length(2)
  })

  it('survives a connection that is gone', async () => {
    const sent: TerminalSize[] = []
    const resizer = new Resizer({ cols: 80, rows: 24 }, async (size) => {
      sent.push(size)
      if (sent.length === 1) throw new Error('gone')
    })
    resizer.change({ cols: 90, rows: 24 })
    await new Promise((resolve) => setImmediate(resolve))
    resizer.change({ cols: 91, rows: 24 })
    expect(sent).to.deep.equal([{ cols: 90, rows: 24 }, { cols: 91, rows: 24 }])
  })
})
