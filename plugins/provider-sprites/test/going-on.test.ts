import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { EquippedComputer, LogChunk } from '../../../src/contract/index.ts'
import { listen } from '../../../src/testkit/conformance/listener.ts'
import { spriteFiles } from '../src/files/files.ts'
import { spritePorts } from '../src/ports.ts'
import { spriteServices } from '../src/services.ts'
import type { Sprite } from '../src/sprite.ts'
import { Faults } from './faults.ts'
import { type Lab, lab } from './support.ts'

describe('what goes on until it is given up, over a service that goes away and comes back', function () {
  this.timeout(120_000)
  let at: Lab
  let faults: Faults
  let sprite: Sprite
  /** The same, seen from its own machine. */
  let direct: EquippedComputer
  before(async () => {
    at = await lab(async (url) => {
      faults = await Faults.before(url)
      return faults.url
    })
    sprite = await at.sprite('lasting')
    direct = await at.provider.get('lasting')
    await direct.start()
  })
  after(async () => {
    faults.close()
    at.client.close()
    await direct.close()
    await at.end()
  })

  /** `meanwhile`: while nothing answers. */
  async function away(meanwhile: () => Promise<unknown>): Promise<void> {
    await faults.down()
    await meanwhile()
    await faults.up()
  }

  it('tells which ports opened and closed meanwhile, and what happens then', async () => {
    const [stays, goes] = [await listen(direct), await listen(direct)]
    const events = spritePorts(sprite).events()[Symbol.asyncIterator]()
    const next = async () => {
      const { type, port } = ((await events.next()) as { value: { type: string; port: number } }).value
      return `${type} ${port}`
    }
    for (const port of [stays.port, goes.port].toSorted((a, b) => a - b)) expect(await next()).to.equal(`opened ${port}`)
    let comes = stays
    await away(async () => {
      // Together for a moment: else the one might get the other's port, and nothing would have changed.
      comes = await listen(direct)
      await goes.stop()
    })
    expect(await next()).to.equal(`closed ${goes.port}`)
    expect(await next()).to.equal(`opened ${comes.port}`)
    await stays.stop()
    expect(await next()).to.equal(`closed ${stays.port}`)
    await events.return?.()
    await comes.stop()
  })

  it('goes on with a log where it was, whole or from its last lines, without a line twice', async () => {
    const services = spriteServices(sprite)
    const script = 'seq 50; echo tick; echo tick; while [ ! -e go ]; do sleep 0.02; done; echo meanwhile >&2; while [ ! -e more ]; do sleep 0.02; done; echo tick; echo last; exec sleep 1000'
    await services.set('talk', { argv: ['sh', '-c', script], cwd: '/home/amux' })
    const logs = [undefined, 2].map((tail) => new Reader(services.logs('talk', { follow: true, ...(tail !== undefined && { tail }) })))
    const [whole, last] = logs as [Reader, Reader]
    expect(await whole.until(/tick\ntick\n$/)).to.match(/^1\n2\n/)
    expect(await last.until(/tick\ntick\n$/)).to.equal('tick\ntick\n')
    await away(() => direct.files.write('go', Buffer.alloc(0)))
    await whole.until(/meanwhile\n/)
    expect(await last.until(/meanwhile\n/)).to.equal('tick\ntick\nmeanwhile\n')
    await direct.files.write('more', Buffer.alloc(0))
    expect((await whole.until(/last\n/)).replace(/^(\d+\n)+/, '')).to.equal('tick\ntick\nmeanwhile\ntick\nlast\n')
    expect(await last.until(/last\n/)).to.equal('tick\ntick\nmeanwhile\ntick\nlast\n')
    for (const log of logs) await log.end()
    await services.remove('talk')
  })

  it('begins a log with what is said from now on where no line of it is wanted, and misses none', async () => {
    const services = spriteServices(sprite)
    await services.set('count', { argv: ['sh', '-c', 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.02; done'] })
    const all = new Reader(services.logs('count', { follow: true }))
    await all.until(/^20$/m)
    const log = new Reader(services.logs('count', { follow: true, tail: 0 }))
    const first = Number.parseInt(await log.until(/\n/), 10)
    expect(first).to.be.greaterThan(20)
    await away(async () => {})
    const wanted = Array.from({ length: 100 }, (_, index) => first + index)
    expect((await log.until(new RegExp(`^${first + 100}$`, 'm'))).split('\n').slice(0, 100).map(Number)).to.deep.equal(wanted)
    for (const one of [all, log]) await one.end()
    await services.remove('count')
  })

  it('watches files again, and says that changes may have been missed', async () => {
    let missed = 0
    let told: () => void = () => {}
    const again = new Promise<void>((resolve) => (told = resolve))
    const files = spriteFiles(sprite)
    const events = (await files.watch(['.'], { onMissed: () => [missed++, told()] }))[Symbol.asyncIterator]()
    const next = async () => ((await events.next()) as { value: { path: string } }).value.path
    const first = next()
    await direct.files.write('one', Buffer.alloc(0))
    expect(await first).to.match(/one|amux-/)
    await away(() => direct.files.write('two', Buffer.alloc(0)))
    const seen = (async () => {
      for (;;) if ((await next()).endsWith('/three')) return
    })()
    await again
    await direct.files.write('three', Buffer.alloc(0))
    await seen
    expect(missed).to.equal(1)
    await events.return?.()
  })
})

/** A log as text, as far as it came. */
class Reader {
  #text = ''
  readonly #chunks: AsyncIterator<LogChunk>
  #next: Promise<IteratorResult<LogChunk>> | undefined

  constructor(chunks: AsyncIterable<LogChunk>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  async until(wanted: RegExp): Promise<string> {
    while (!wanted.test(this.#text)) {
      this.#next ??= this.#chunks.next()
      const { value, done } = await this.#next
      this.#next = undefined
      if (done === true) throw new Error(`it ended: ${this.#text}`)
      this.#text += Buffer.from((value as LogChunk).data).toString()
    }
    return this.#text
  }

  async end(): Promise<void> {
    await this.#chunks.return?.()
  }
}
