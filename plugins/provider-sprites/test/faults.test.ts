import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import { Client } from '../src/service/client.ts'
import { openExec } from '../src/exec/exec.ts'
import type { Sprite } from '../src/sprite.ts'
import { Faults } from './faults.ts'
import { type Lab, lab, text } from './support.ts'

/** Answers every line on both streams, then says what it got in all. */
const PROGRAM = `
while read -r line; do echo "out:$line"; echo "err:$line" >&2; done
head -c 300000 /dev/zero | tr '\\0' x; echo; exit 7
`

describe('a program over a network that fails', function () {
  this.timeout(120_000)
  let at: Lab
  let faults: Faults
  let sprite: Sprite
  before(async () => {
    at = await lab(async (url) => {
      faults = await Faults.before(url)
      return faults.url
    })
    sprite = await at.sprite('faults')
  })
  after(async () => {
    faults.close()
    at.client.close()
    await at.end()
  })

  /** Without connections that are kept from before. */
  const fresh = () => new Client({ url: faults.url, token: at.token, debug: () => {} })

  async function session(): Promise<string> {
    const program = await openExec(sprite, ['sh', '-c', PROGRAM])
    const collected = Promise.all([text(program.stdout), text(program.stderr), program.exit])
    for (const line of ['one', 'two', 'three']) await program.stdin.write(Buffer.from(`${line}\n`))
    await program.stdin.end()
    const [stdout, stderr, exit] = await collected
    return JSON.stringify([createHash('sha256').update(stdout).digest('hex'), stdout.length, stderr, exit])
  }

  it('says the same, wherever the connection is cut between two messages', async () => {
    faults.set({})
    const wanted = await session()
    const messages = faults.messages
    expect(messages).to.be.greaterThan(8)
    // The first message of all says that it runs: before it nobody can tell.
    for (let n = 1; n < messages; n++) {
      faults.set({ cutAfter: n })
      expect(await session(), `cut after ${n} of ${messages} messages`).to.equal(wanted)
    }
  })

  it('says by which signal it died, wherever the connection is cut: behind the status, too', async () => {
    const died = async () => (await openExec(sprite, ['sh', '-c', 'echo out; sleep 0.1; kill -USR1 $$'])).exit
    faults.set({})
    expect(await died()).to.deep.equal({ signal: 'SIGUSR1' })
    const messages = faults.messages
    expect(messages).to.be.greaterThan(3)
    for (let n = 1; n < messages; n++) {
      for (const midway of [false, true]) {
        faults.set({ cutAfter: n, midway })
        expect(await died(), `cut ${midway ? 'within' : 'after'} ${n} of ${messages} messages`).to.deep.equal({ signal: 'SIGUSR1' })
      }
    }
  })

  it('says the same where it is cut in the middle of a message, and again at once', async () => {
    faults.set({})
    const wanted = await session()
    for (const n of [1, 3, 5]) {
      faults.set({ cutAfter: n, midway: true, times: 3 })
      expect(await session(), `cut within message ${n}`).to.equal(wanted)
    }
  })

  it('says the same where everything comes late and in pieces', async () => {
    faults.set({})
    const wanted = await session()
    faults.set({ shaky: true })
    expect(await session()).to.equal(wanted)
  })

  it('is never taken for a success when nobody knows how it ended', async () => {
    faults.set({ cutAfter: 0 })
    const error: unknown = await session().catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'connection_lost' })
    faults.set({})
  })

  it('is asked for again where the service is busy, as often as it says, and no more than once where the token is wrong', async () => {
    faults.set({ answer: { status: 429, body: '{"error":"concurrent_sprite_limit_exceeded","message":"too many","retry_after_seconds":1}', times: 2 } })
    const begun = Date.now()
    expect(await text((await openExec(sprite, ['echo', 'through'])).stdout)).to.equal('through\n')
    expect(Date.now() - begun).to.be.greaterThan(1900)
    for (const answer of [{ status: 401, body: '{"error":"unauthorized"}', code: 'unauthorized' }, { status: 200, body: '<html>Log in to the wifi</html>', headers: { 'content-type': 'text/html' }, code: 'unavailable' }]) {
      const { code, ...rest } = answer
      const plan = { ...rest, times: 100 }
      faults.set({ answer: plan })
      const error: unknown = await fresh().json('GET', sprite.path()).catch((reason: unknown) => reason)
      expect(error).to.include({ code })
      if (code === 'unauthorized') expect(plan.times).to.equal(99)
    }
    faults.set({ answer: { status: 503, body: 'busy', times: 2 } })
    await fresh().json('GET', sprite.path())
    faults.set({})
  })
})
