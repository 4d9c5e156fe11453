import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { IdleState, SessionInfo } from '../../src/contract/index.ts'
import { computers, parseStat, type Seen } from '../../src/guest/idle/processes.ts'
import { Lab, until } from './lab.ts'

const idleOf = async (lab: Lab, window = 0): Promise<IdleState> => JSON.parse((await lab.call('GET', `/v1/idle?window=${window}`)).body.toString()) as IdleState

describe('the idle state', () => {
  it('reads a process whatever its name', () => {
    const rest = `S 7 1 1 0 -1 4194304 100 0 0 0 3 4 5 6 20 0 1 0 12345 1000 10 ${'0 '.repeat(30)}`
    for (const name of ['sh', 'a b', ') R 1 (', '']) expect(parseStat(`42 (${name}) ${rest}`)).to.deep.equal({ pid: 42, parent: 7, name, start: '12345', ticks: 18 })
    expect(parseStat('')).to.equal(undefined)
  })

  it('counts what descends from the supervisor, or everything where that is the first process', () => {
    const seen = (pid: number, parent: number, name: string): [number, Seen] => [pid, { pid, parent, name, start: '1', ticks: 0 }]
    const shared = new Map([seen(1, 0, 'systemd'), seen(5, 1, 'other'), seen(10, 1, 'amux-init'), seen(11, 10, 'node'), seen(12, 10, 'amux-init'), seen(13, 12, 'make'), seen(14, 13, 'cc')])
    expect(computers(shared, 11).map(({ pid }) => pid)).to.deep.equal([13, 14])
    const whole = new Map([seen(1, 0, 'amux-init'), seen(2, 1, 'node'), seen(3, 1, 'amux-init'), seen(4, 3, 'sh'), seen(5, 0, 'entered')])
    expect(computers(whole, 2).map(({ pid }) => pid)).to.deep.equal([4, 5])
  })

  it('begins when the last thing ended, and names what works until then', async () => {
    const lab = await Lab.open()
    try {
      const program = lab.exec({ argv: ['sh', '-c', 'while :; do :; done'], detached: true, name: 'burner' })
      let info: SessionInfo | undefined
      await until(async () => (info = (await lab.list())[0]) !== undefined)
      await until(async () => (await idleOf(lab)).because.some((line) => /^session burner \(sh, CPU \d+ %\)$/.test(line)))
      await lab.call('POST', `/v1/sessions/${info?.id}/kill`, { signal: 'SIGKILL', grace: 0 })
      await program.over
      await until(async () => (await idleOf(lab)).since !== undefined)
      const state = await idleOf(lab)
      expect(state.because).to.deep.equal([])
      expect(Date.parse(state.since ?? '')).to.be.within(Date.now() - 60_000, Date.now())
      expect((await idleOf(lab, 3600)).since, 'it worked within the hour').to.equal(undefined)
      // Worked out from two clocks, so the last milliseconds vary.
      expect(Date.parse((await idleOf(lab)).since ?? ''), 'asking is no work').to.be.closeTo(Date.parse(state.since ?? ''), 100)
    } finally {
      lab.close()
    }
  })

  it('sees output and input of a session that uses no time', async () => {
    const lab = await Lab.open()
    try {
      const program = lab.exec({ argv: ['cat'], name: 'quiet' })
      await until(async () => (await lab.list()).length === 1)
      await until(async () => (await idleOf(lab)).since !== undefined)
      await lab.call('POST', '/v1/sessions/quiet/input', Buffer.from('hello\n'))
      const state = await idleOf(lab, 60)
      expect(state.since).to.equal(undefined)
      expect(state.because[0]).to.match(/^session quiet \(input or output \d+ s ago\)$/)
      await lab.call('POST', '/v1/sessions/quiet/kill', { grace: 0 })
      await program.over
    } finally {
      lab.close()
    }
  })
})
