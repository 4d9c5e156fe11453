import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type SpriteCommand, SpritesClient } from '@fly/sprites'
import { once } from 'node:events'
import { spriteSessions } from '../src/sessions/sessions.ts'
import type { Sprite } from '../src/sprite.ts'
import { type Lab, lab, text } from './support.ts'

/** What Fly's own clients start, seen by amux, and the other way round. */
describe('sessions that others started', () => {
  let at: Lab
  let sprite: Sprite
  let theirs: SpritesClient
  before(async () => {
    at = await lab()
    sprite = await at.sprite('foreign')
    theirs = new SpritesClient(at.token, { baseURL: at.url })
  })
  after(() => at.end())

  async function begin(script: string): Promise<{ readonly id: string; readonly program: SpriteCommand }> {
    const program = theirs.sprite('foreign').createSession('sh', ['-c', script], { rows: 24, cols: 80 })
    const [message] = (await once(program, 'message')) as [{ session_id: string }]
    return { id: `n-${message.session_id}`, program }
  }

  it('are listed, typed into, attached to and ended; their log is nowhere', async () => {
    const sessions = spriteSessions(sprite)
    const { id } = await begin('while read line; do echo "got:$line"; done')
    const listed = (await sessions.list()).find((session) => session.id === id)
    const command = 'sh -c while read line; do echo "got:$line"; done'
    expect(listed).to.deep.include({ tty: true, state: { status: 'running' }, argv: [command], command })
    const attached = await sessions.attach(id)
    await sessions.send(id, Buffer.from('from aside\n'))
    let seen = ''
    for await (const chunk of attached.stdout) {
      seen += Buffer.from(chunk).toString()
      if (seen.includes('got:from aside')) break
    }
    await attached.detach()
    const refused: unknown = await text((async function* () {
      for await (const { data } of sessions.logs(id)) yield data
    })()).catch((error: unknown) => error)
    expect(refused).to.include({ code: 'unsupported' })
    expect(await sessions.remove(id).catch((error: unknown) => error)).to.include({ code: 'conflict' })
    expect((await sessions.kill(id, { grace: 0 })).state).to.include({ status: 'killed', signal: 'SIGKILL' })
    expect(await sessions.get(id).catch((error: unknown) => error)).to.include({ code: 'not_found' })
  })

  it('are waited for, though nobody knows how they ended', async () => {
    const sessions = spriteSessions(sprite)
    const { id } = await begin('read line; exit 3')
    const waiting = sessions.wait(id)
    await sessions.send(id, Buffer.from('go\n'))
    expect((await waiting).state).to.include({ status: 'ended', reason: 'lost' })
  })

  it('see those of amux, by what they run', async () => {
    const sessions = spriteSessions(sprite)
    const { session } = await sessions.start(['sleep', '1000'], { detached: true })
    const all = await theirs.sprite('foreign').listSessions()
    expect(all.some(({ command }) => command.includes(session.id))).to.equal(true)
    expect((await sessions.list()).filter(({ id }) => id.startsWith('n-'))).to.deep.equal([])
    await sessions.kill(session.id, { grace: 0 })
  })
})
