import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { ClientHttp2Session } from 'node:http2'
import { mock } from 'node:test'
import { Heartbeat } from '../../src/emulation/client/heartbeat.ts'

/** As much of a connection as the heartbeat sees; it answers when told. */
class Pinged {
  pending: (() => void)[] = []
  asked = 0

  ping(answer: () => void): boolean {
    this.asked += 1
    this.pending.push(answer)
    return true
  }

  answer(): void {
    for (const one of this.pending.splice(0)) one()
  }
}

describe('the heartbeat of a connection', () => {
  let far: Pinged
  let silent = 0
  let heart: Heartbeat
  /** The wall clock, which is not the one timers run by. */
  let now = 0
  const beat = () => {
    now += 5000
    mock.timers.tick(5000)
  }
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] })
    now = 1_000_000_000
    mock.method(Date, 'now', () => now)
    far = new Pinged()
    silent = 0
    // It uses nothing else of it.
    heart = new Heartbeat(far as unknown as ClientHttp2Session, () => (silent += 1))
    heart.start()
  })
  afterEach(() => {
    heart.stop()
    mock.timers.reset()
    mock.restoreAll()
  })

  it('asks, and is content with an answer', () => {
    for (let n = 0; n < 50; n++) {
      beat()
      far.answer()
    }
    expect(far.asked).to.equal(50)
    expect(silent).to.equal(0)
  })

  it('notices that nobody answers', () => {
    for (let n = 0; n < 4; n++) beat()
    expect(silent).to.equal(1)
    expect(far.asked).to.equal(1)
  })

  it('notices sooner after a sleep of the machine, but asks first', () => {
    now += 3_600_000
    beat()
    expect(silent).to.equal(0)
    for (let n = 0; n < 2; n++) beat()
    expect(silent).to.equal(1)
  })

  it('accuses nobody because the clock was set', () => {
    for (const jump of [-3_600_000, 86_400_000, -86_400_000]) {
      now += jump
      beat()
      far.answer()
      beat()
      far.answer()
    }
    expect(silent).to.equal(0)
  })

  it('is still where nothing is open', () => {
    heart.stop()
    mock.timers.tick(60_000)
    expect(far.asked).to.equal(0)
  })
})
