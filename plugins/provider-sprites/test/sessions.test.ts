import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { Attachment, LogChunk, Sessions } from '../../../src/contract/index.ts'
import { Client } from '../src/service/client.ts'
import { SpriteComputer } from '../src/computer.ts'
import { carrySessions } from '../src/sessions/carry.ts'
import { spriteSessions } from '../src/sessions/sessions.ts'
import { Sprite } from '../src/sprite.ts'
import { type Gate, gate } from './sessions-gate.ts'
import { type Lab, contextFor, lab, text } from './support.ts'

describe('sessions on a sprite', () => {
  let at: Lab
  let way: Gate
  let sprite: Sprite
  let sessions: Sessions
  before(async () => {
    at = await lab(async (url) => (way = await gate(url)).url)
    sprite = await at.sprite('sessions')
    sessions = spriteSessions(sprite)
  })
  after(async () => {
    await at.end()
    way.close()
  })

  async function forget({ session: { id } }: Attachment): Promise<void> {
    await sessions.kill(id, { grace: 0 })
    await sessions.remove(id).catch(() => undefined)
  }

  it('give every byte once, and their end, over connections that break again and again', async () => {
    const live = await sessions.start(['sh', '-c', 'read go; head -c 20000000 /dev/urandom | tee /tmp/whole; exit 7'], { verify: true, detached: true })
    const owner = await sessions.attach(live.session.id)
    await owner.stdin.write(Buffer.from('go\n'))
    const hash = createHash('sha256')
    let size = 0
    let next = 3_000_000
    for await (const chunk of owner.stdout) {
      hash.update(chunk)
      size += chunk.length
      if (size < next) continue
      next += 3_000_000
      way.cut()
    }
    expect([size, await owner.exit]).to.deep.equal([20_000_000, { code: 7 }])
    expect((await sprite.text(['sha256sum', '/tmp/whole'])).slice(0, 64)).to.equal(hash.digest('hex'))
    await forget(live)
  })

  it('wait for the one that began them, however much they say at once', async () => {
    const live = await sessions.start(['head', '-c', '60000000', '/dev/zero'])
    let size = 0
    for await (const chunk of live.stdout) size += chunk.length
    expect([size, await live.exit]).to.deep.equal([60_000_000, { code: 0 }])
  })

  it('are told how they ended while nobody was there', async () => {
    const live = await sessions.start(['sh', '-c', 'read line; echo "$line"; exit 9'], { detached: true })
    const owner = await sessions.attach(live.session.id)
    way.close()
    const direct = new Client({ url: at.url, token: at.token, debug: () => {} })
    const elsewhere = spriteSessions(new Sprite('sessions', direct, await contextFor(at.url, at.token, at.dataDir), false))
    await elsewhere.send(live.session.id, Buffer.from('meanwhile\n'))
    expect((await elsewhere.wait(live.session.id)).state).to.include({ status: 'exited', code: 9 })
    direct.close()
    await way.open()
    expect([await text(owner.stdout), await owner.exit]).to.deep.equal(['meanwhile\n', { code: 9 }])
    await forget(live)
  })

  it('of one name begin only once, however many try at a time', async () => {
    const tries = await Promise.allSettled([1, 2, 3, 4].map(() => sessions.start(['sleep', '1000'], { detached: true, name: 'only' })))
    const won = tries.filter((one) => one.status === 'fulfilled')
    expect(won.length).to.equal(1)
    for (const one of tries) if (one.status === 'rejected') expect(one.reason).to.include({ code: 'conflict' })
    expect((await sessions.list()).filter(({ name }) => name === 'only').length).to.equal(1)
    for (const one of won) await forget(one.value)
  })

  it('keep what was given to them out of addresses and listings', async () => {
    const secret = randomBytes(12).toString('hex')
    const live = await sessions.start(['sh', '-c', 'printf %s "$SECRET"'], { detached: true, env: { SECRET: secret } })
    await sessions.wait(live.session.id)
    let said = ''
    for await (const { data } of sessions.logs(live.session.id)) said += Buffer.from(data).toString()
    expect(said).to.equal(secret)
    expect(await sprite.text(['sh', '-c', 'cd ~/.amux/sessions/"$1" && ls -A && cat record.json life status', 'sh', live.session.id])).to.not.include(secret).and.not.match(/^start$/m)
    await forget(live)
  })

  it('whose recorder was killed are lost', async () => {
    const live = await sessions.start(['sleep', '1000'], { detached: true })
    const { id, pid } = live.session
    await sprite.text(['sh', '-c', 'kill -9 "$(sed "s/.*recorder.:\\([0-9]*\\).*/\\1/" ~/.amux/sessions/"$1"/life)" "$2"', 'sh', id, String(pid)])
    const error: unknown = await live.exit.catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'connection_lost' })
    expect((await sessions.wait(id)).state).to.include({ status: 'ended', reason: 'lost' })
    await sessions.remove(id)
  })

  it('do not go back in time with a restored disk', async () => {
    const computer = new SpriteComputer(sprite)
    const removed = await sessions.start(['true'], { detached: true })
    await sessions.wait(removed.session.id)
    const point = await computer.checkpoints.create()
    await sessions.remove(removed.session.id)
    const ended = await sessions.start(['sh', '-c', 'exit 3'], { detached: true })
    await sessions.wait(ended.session.id)
    const running = await sessions.start(['sleep', '1000'], { detached: true })
    await running.detach()
    const putBack = await carrySessions(sprite)
    await computer.checkpoints.restore(point.id)
    await putBack()
    const states = new Map((await sessions.list()).map(({ id, state }) => [id, state]))
    expect(states.has(removed.session.id)).to.equal(false)
    expect(states.get(ended.session.id)).to.include({ status: 'exited', code: 3 })
    expect(states.get(running.session.id)).to.include({ status: 'ended', reason: 'restored' })
    for (const id of states.keys()) await sessions.remove(id)
  })

  it('are whole in the log, in order, after the last lines asked for', async () => {
    const live = await sessions.start(['sh', '-c', 'for n in 1 2 3; do echo "out $n"; sleep 0.05; echo "err $n" >&2; sleep 0.05; done'], { detached: true })
    await sessions.wait(live.session.id)
    const lines = async (tail?: number) => {
      const chunks: LogChunk[] = []
      for await (const chunk of sessions.logs(live.session.id, tail === undefined ? {} : { tail })) chunks.push(chunk)
      return chunks.map(({ data }) => Buffer.from(data).toString()).join('')
    }
    expect(await lines()).to.equal('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n')
    expect(await lines(3)).to.equal('err 2\nout 3\nerr 3\n')
    await forget(live)
  })
})
