import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { CheckpointChange, Checkpoints } from '../../../src/contract/index.ts'
import { spriteCheckpoints } from '../src/checkpoints/checkpoints.ts'
import type { Sprite } from '../src/sprite.ts'
import { type Lab, lab, text } from './support.ts'

const TREE = `set -e; mkdir -p ~/w/deep; cd ~/w; printf one > kept; printf two > changed; printf same > touched; printf old > gone; printf x > mode; ln -s kept link; printf strange > "$(printf 'a\\nb  c')"`
const CHANGE = `set -e; cd ~/w; printf owt > changed; touch -d '2001-01-01' touched; rm gone; chmod 700 mode; ln -sfn changed link; mkdir new; printf new > new/file; mv kept deep/kept`

/** What the service does and our server does not: checkpoints seen as directories. */
const MOUNT = 'r=/.sprite/checkpoints/$1; sudo -n mkdir -p "$r$HOME" && sudo -n cp -a "$HOME/w" "$r$HOME/"'

describe('checkpoints of a service that only shows them as directories', function () {
  this.timeout(120_000)
  let at: Lab
  let sprite: Sprite
  let checkpoints: Checkpoints
  before(async () => {
    at = await lab()
    sprite = await at.sprite('trees')
    // From now on it is any server.
    Object.defineProperty(sprite.client.server, 'amux', { get: () => false, set: () => {} })
    checkpoints = spriteCheckpoints(sprite)
    for (const [script, id] of [[TREE, 'v1'], [CHANGE, 'v2']] as const) {
      await sprite.text(['sh', '-c', script])
      expect((await checkpoints.create({ message: id })).id).to.equal(id)
      await sprite.text(['sh', '-c', MOUNT, 'sh', id])
    }
  })
  after(async () => {
    at.client.close()
    await at.end()
  })

  const say = ({ path, change, what }: CheckpointChange) => [path.replace(/^\/home\/[^/]+\/w/, ''), change, ...what].join(' ')

  it('say how they differ: what, and of what only the time', async () => {
    const changes: string[] = []
    for await (const change of checkpoints.diff('v1', 'v2')) changes.push(say(change))
    expect(changes).to.deep.equal([
      '/changed modified content time',
      '/deep/kept added',
      '/gone removed',
      '/kept removed',
      '/link modified time target',
      '/mode modified mode',
      '/new added',
      '/new/file added',
      '/touched modified time',
    ])
  })

  it('are read, names with anything in them too, and what is no file is none', async () => {
    expect(await text(checkpoints.read('v1', '/home/amux/w/changed'))).to.equal('two')
    expect(await text(checkpoints.read('v1', '/home/amux/w/a\nb  c'))).to.equal('strange')
    for (const [path, code] of [['/home/amux/w', 'invalid_argument'], ['/home/amux/w/nothing', 'not_found'], ['home', 'invalid_argument']] as const) {
      expect(await text(checkpoints.read('v1', path)).catch((error: unknown) => error), path).to.include({ code })
    }
  })

  it('are restored in part: what came since goes, what was there comes back, the rest stays', async () => {
    await sprite.text(['sh', '-c', 'printf mine > ~/beside; printf more > ~/w/more'])
    const { changed, safety } = await checkpoints.restore('v1', { paths: ['/home/amux/w'] })
    expect(changed).to.equal(10)
    expect((await checkpoints.get(safety ?? '')).kind).to.equal('safety')
    expect(await sprite.text(['sh', '-c', 'cd ~/w; cat kept changed touched gone; readlink link; find . -mindepth 1 -maxdepth 1 -printf x; echo; cat ~/beside'])).to.equal('onetwosameoldkept\nxxxxxxxx\nmine')
    expect(await sprite.text(['sh', '-c', 'stat -c %U ~/w/kept; ls -A ~ | grep -c amux- || :'])).to.equal('amux\n0\n')
  })

  it('remove what they did not have, and refuse what they cover nothing of', async () => {
    await sprite.text(['sh', '-c', 'printf x > ~/w/later'])
    expect((await checkpoints.restore('v1', { paths: ['/home/amux/w/later'] })).changed).to.equal(1)
    expect((await sprite.run(['test', '-e', '/home/amux/w/later'])).code).to.equal(1)
    for (const [path, code] of [['/proc', 'invalid_argument'], ['/.sprite', 'invalid_argument'], ['/.sprite/checkpoints/v1', 'invalid_argument'], ['/', 'invalid_argument'], ['/home/amux/w/never', 'not_found']] as const) {
      expect(await checkpoints.restore('v1', { paths: [path] }).catch((error: unknown) => error), path).to.include({ code })
    }
    expect((await sprite.run(['test', '-d', '/.sprite/checkpoints/v1'])).code).to.equal(0)
  })

  it('that are not shown any more cannot be looked into, nor taken out or in', async () => {
    const { id } = await checkpoints.create()
    for (const work of [() => text(checkpoints.read(id, '/etc/hosts')), async () => text((async function* () { for await (const one of checkpoints.diff(id)) yield Buffer.from(one.path) })()), () => text(checkpoints.export(id)), () => checkpoints.import((async function* () {})())]) {
      expect(await work().catch((error: unknown) => error)).to.include({ code: 'unsupported' })
    }
  })
})
