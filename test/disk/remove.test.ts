import { expect } from 'chai'
import { describe, it } from 'mocha'
import { cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listing } from './lister.ts'
import { Place, quickDirectory } from './place.ts'

function orders<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, at) => orders(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}

describe('amux-disk, removing', () => {
  it('gives back in any order of four what each alone cost, and harms no other', () => {
    const under = quickDirectory()
    using place = new Place(under)
    const states: { id: string; listing: string }[] = []
    for (let state = 0; state < 4; state++) {
      for (let file = 0; file < 6; file++) writeFileSync(join(place.home, `f${file}`), Buffer.alloc(file === 5 ? 1_200_000 : 9000, `${file < state ? file : `${file}${state}`} `))
      states.push({ id: place.create(), listing: listing(place.home) })
    }
    const full = place.store
    for (const order of orders([0, 1, 2, 3])) {
      place.store = join(place.root, 'copy')
      rmSync(place.store, { recursive: true, force: true })
      cpSync(full, place.store, { recursive: true })
      for (const [at, which] of order.entries()) {
        const { id } = states[which]!
        const [cost, stored] = [place.list().find((info) => info.id === id)!.cost, place.stored()]
        const { freed } = place.run(['rm', id])
        expect(freed).to.equal(cost)
        expect(stored - place.stored(), `${order.join()} at ${at}`).to.be.within(Number(freed) - 20_000, Number(freed))
        if (at !== 1 || order[0] !== 2) continue
        for (const other of order.slice(2)) {
          const { id, listing: wanted } = states[other]!
          place.restore(id)
          expect(listing(place.home)).to.equal(wanted)
        }
        place.run(['rm', ...place.ids().filter((id) => id.startsWith('auto'))])
      }
      expect(place.packs()).to.deep.equal([])
    }
  }).timeout(60_000)

  it('never gives an id again', () => {
    using place = new Place()
    expect([place.create(), place.create(), place.create('auto')]).to.deep.equal(['v1', 'v2', 'auto-1'])
    place.run(['rm', 'v2', 'v1', 'auto-1'])
    expect([place.create(), place.create('auto')]).to.deep.equal(['v3', 'auto-2'])
  })

  it('removes nothing when one is unknown', () => {
    using place = new Place()
    place.create()
    place.create()
    expect(place.try(['rm', 'v1', 'v7', 'v2']).failure).to.deep.equal({ number: 2, step: 'point', subject: 'v7' })
    for (const id of ['v1/../v1', '../x', '.new-v1', '', 'v01', 'auto']) expect(place.try(['rm', id]).failure).to.include({ number: 2, step: 'point' })
    expect(place.ids()).to.deep.equal(['v2', 'v1'])
    for (const command of [['restore', 'v9', '{}'], ['cat', 'v9', '/home/amux/f'], ['diff', 'v9'], ['export', 'v9']]) expect(place.try(command).failure).to.include({ number: 2, step: 'point', subject: 'v9' })
  })

  it('leaves as much disk in use after many rounds as before', () => {
    using place = new Place(quickDirectory())
    for (let file = 0; file < 40; file++) writeFileSync(join(place.home, `f${file}`), Buffer.alloc(20_000, `${file}`))
    const base = place.create()
    const stored = place.stored()
    for (let round = 0; round < 15; round++) {
      writeFileSync(join(place.home, 'f1'), Buffer.alloc(30_000, `${round}`))
      const id = place.create()
      const { safety } = place.restore(base)
      place.run(['rm', id, String(safety)])
    }
    expect(place.stored()).to.be.within(stored - 8192, stored + 8192)
    expect(place.ids()).to.deep.equal([base])
  })
})

describe('amux-disk, damaged', () => {
  const broken = (spoil: (path: string) => void, file: string) => {
    const place = new Place(quickDirectory())
    for (let file = 0; file < 20; file++) writeFileSync(join(place.home, `f${file}`), Buffer.alloc(20_000, `${file}`))
    place.create()
    writeFileSync(join(place.home, 'f1'), 'other')
    place.create()
    spoil(join(place.store, file))
    return place
  }
  const flip = (path: string) => {
    const bytes = readFileSync(path)
    bytes[Math.floor(bytes.length / 2)]! ^= 0x40
    writeFileSync(path, bytes)
  }
  const cut = (path: string) => truncateSync(path, readFileSync(path).length - 20)

  for (const [how, spoil] of Object.entries({ flip, cut, empty: (path: string) => writeFileSync(path, '') })) {
    it(`says which point it is (${how}), lets it be removed, and the others work`, () => {
      using place = broken(spoil, 'points/v1')
      expect(place.try(['restore', 'v1', '{}']).failure).to.deep.equal({ number: 84, step: 'corrupt', subject: 'v1' })
      expect(place.try(['verify']).failure).to.include({ step: 'corrupt', subject: 'v1' })
      place.run(['rm', 'v1'])
      expect(place.ids()).to.deep.equal(['v2'])
      writeFileSync(join(place.home, 'f1'), 'again')
      place.restore('v2')
      expect(readFileSync(join(place.home, 'f1'), 'utf8')).to.equal('other')
    })

    it(`goes on without its cache (${how})`, () => {
      using place = broken(spoil, 'live')
      expect(place.restore('v2')).to.include({ changed: 0 })
      expect(place.run(['create', 'v', '{}'])).to.include({ id: 'v3', copied: 0 })
    })

    it(`does not give ids when it does not know the last (${how})`, () => {
      using place = broken(spoil, 'next')
      expect(place.try(['create', 'v', '{}']).failure).to.include({ number: 84, step: 'corrupt', subject: 'next' })
    })
  }

  it('puts everything back when contents turn out to be damaged', () => {
    using place = broken(flip, 'packs/1')
    writeFileSync(join(place.home, 'f0'), 'mine')
    for (let file = 0; file < 20; file++) writeFileSync(join(place.home, `f${file}`), `mine ${file}`)
    const now = listing(place.home)
    expect(place.try(['restore', 'v1', '{}']).failure).to.include({ number: 84, step: 'restore' })
    expect(listing(place.home)).to.equal(now)
    expect(place.ids()).to.deep.equal(['v2', 'v1'])
    truncateSync(join(place.store, 'packs/1'), 400_000)
    expect(place.try(['verify']).failure).to.include({ step: 'corrupt', subject: '1' })
  })

  it('knows a missing store as one without a point', () => {
    using place = new Place()
    expect(place.try(['pending']).stdout.toString()).to.equal('clean\n')
    expect(place.try(['recover']).stdout.toString()).to.equal('clean\n')
    expect(place.try(['restore', 'v1', '{}']).failure?.number).to.equal(2)
    expect(existsSync(place.store)).to.equal(false)
    expect(place.try(['create', 'v', 'no json']).failure).to.include({ number: 22, step: 'meta' })
    expect(place.try(['create', 'v', '{}'], { input: 'tree\thome\n' }).failure?.step).to.equal('request')
    expect(place.try(['create', 'v', '{}'], { input: place.request().replace('end\n', '') }).failure?.step).to.equal('request')
    expect(place.try(['frobnicate']).failure).to.include({ number: 22, step: 'usage' })
  })
})
