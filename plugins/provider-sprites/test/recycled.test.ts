import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { setTimeout as delay } from 'node:timers/promises'
import { openExec } from '../src/exec/exec.ts'
import { Client } from '../src/service/client.ts'
import { Sprite } from '../src/sprite.ts'
import { type Gate, gate } from './sessions-gate.ts'
import { contextFor, type Lab, lab, text } from './support.ts'

const ENDS = 'sleep 0.3; echo "$1"; sleep 0.2'
const STAYS = 'echo "$1"; read line'

describe('a program on a sprite whose id another one has by now', () => {
  let at: Lab
  let here: Sprite
  const clients: Client[] = []
  const gates: Gate[] = []
  const sprites: Sprite[] = []
  before(async () => {
    at = await lab()
    here = await at.sprite('again')
  })
  after(async () => {
    for (const sprite of sprites) sprite.leave()
    for (const client of clients) client.close()
    await at.end()
    for (const one of gates) one.close()
  })

  /** Of somebody whose network can be taken away. */
  async function behind(): Promise<{ readonly way: Gate; readonly sprite: Sprite }> {
    const way = await gate(at.url)
    const client = new Client({ url: way.url, token: at.token, debug: () => {} })
    const sprite = new Sprite('again', client, await contextFor(way.url, at.token, at.dataDir), false)
    gates.push(way)
    clients.push(client)
    sprites.push(sprite)
    return { way, sprite }
  }

  /** Process ids begin anew with each start; each program takes some. */
  async function until(id: string, script: string, word: string, sprite = here) {
    for (let starts = 0; starts < 40; starts++) {
      await restart()
      for (let last = 0; last < Number(id); ) {
        const one = await openExec(sprite, ['sh', '-c', script, 'sh', word], { plain: true })
        if (one.id === id) return one
        await one.kill('SIGKILL')
        for (let step = Math.floor(Math.random() * 3); step >= 0; step--) last = Number((await sprite.run(['sh', '-c', 'echo $$'])).stdout)
      }
    }
    throw new Error(`no program has ${id}`)
  }

  async function restart(): Promise<void> {
    await at.client.json('POST', here.path('restart'), { timeout: 60_000 })
  }

  /** Later than the first ones after a start. */
  async function begin(script: string, sprite: Sprite) {
    for (let before = 0; before < 8; before++) await (await openExec(here, ['true'], { plain: true })).exit
    return openExec(sprite, ['sh', '-c', script, 'sh', 'first'], { plain: true })
  }

  it('is not taken for that one', async () => {
    const { way, sprite } = await behind()
    const first = await begin(STAYS, sprite)
    const [said, ended] = [text(first.stdout).catch((error: unknown) => error), first.exit.catch((error: unknown) => error)]
    way.close()
    const other = await until(first.id, STAYS, 'other')
    await way.open()
    expect(await ended).to.include({ code: 'connection_lost' })
    expect(await said).to.include({ code: 'connection_lost' })
    await other.stdin.end()
    expect(await text(other.stdout)).to.equal('other\n')
  })

  it('gives what it said, and not what that one said, to the client that it lost', async () => {
    const [one, two] = [await behind(), await behind()]
    const first = await begin(ENDS, one.sprite)
    one.way.close()
    await delay(1000)
    const other = await until(first.id, ENDS, 'other', two.sprite)
    two.way.close()
    await delay(1000)
    await two.way.open()
    expect(await text(other.stdout)).to.equal('other\n')
    await one.way.open()
    expect(await Promise.all([text(first.stdout), first.exit])).to.deep.equal(['first\n', { code: 0 }])
  })
})
