import { expect } from 'chai'
import { describe, it } from 'mocha'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Place } from './place.ts'

/** A restore on a copy of a disk is over only when that has taken the disk's place: whoever sees to that is told by a file. */
describe('amux-disk, where its word is waited for', () => {
  function changed(): { readonly place: Place; readonly file: string; readonly id: string; word(): string | undefined; restore(fault?: string): ReturnType<Place['try']> } {
    const place = new Place()
    const file = join(place.root, 'mark')
    writeFileSync(join(place.home, 'f'), 'then')
    const id = place.create()
    writeFileSync(join(place.home, 'f'), 'now')
    const env = { AMUX_DONE: file }
    return { place, file, id, word: () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined), restore: (fault) => place.try(['restore', id, '{}'], { env, ...(fault !== undefined && { fault }) }) }
  }

  it('gives it when all is on disk', () => {
    const { place, word, restore } = changed()
    using _ = place
    expect(restore().status).to.equal(0)
    expect(word()).to.equal('done')
  })

  it('gives none where there was nothing to do', () => {
    const { place, id, word, restore } = changed()
    using _ = place
    place.restore(id)
    expect(restore().result).to.include({ changed: 0 })
    expect(word()).to.equal(undefined)
  })

  it('gives it before it forgets what it set out to do: at no moment neither is there', () => {
    for (const [fault, given] of [['done:1:kill', ''], ['intent-remove:1:kill', 'done']] as const) {
      const { place, word, restore } = changed()
      using _ = place
      expect(restore(fault).signal, fault).to.equal('SIGKILL')
      expect(word(), fault).to.equal(given)
      expect(place.try(['pending']).stdout.toString(), fault).to.match(/^restore\t/)
      expect(place.try(['recover']).stdout.toString(), fault).to.match(/^recovered\t/)
      expect(readFileSync(join(place.home, 'f'), 'utf8'), fault).to.equal('then')
    }
  })
})
