import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listing } from './lister.ts'
import { isRoot, leaveOut, Place, quickDirectory } from './place.ts'

const steps = (place: Place) => place.try(['steps']).stdout.toString().trim().split('\n')

describe('amux-disk, when a call fails', () => {
  for (const error of ['ENOSPC', 'EIO']) {
    it(`takes a create back after ${error} at any step`, () => {
      using place = new Place(quickDirectory())
      place.sh('echo 1 > f; head -c 2000000 /dev/urandom > large')
      const id = place.create()
      let failures = 0
      for (const step of steps(place)) {
        place.sh('head -c 3000 /dev/urandom > f; head -c 2000000 /dev/urandom > large')
        const [ids, packs] = [place.ids(), place.packs()]
        const got = place.try(['create', 'v', '{}'], { fault: `${step}:1:${error}` })
        expect(got.signal, step).to.equal(null)
        if (got.status === 0) continue
        failures++
        expect(got.failure?.number, step).to.equal(error === 'ENOSPC' ? 28 : 5)
        expect([place.ids(), place.packs()], step).to.deep.equal([ids, packs])
      }
      expect(failures).to.be.greaterThan(6)
      place.restore(id)
      expect(place.try(['verify']).stdout.toString()).to.equal('sound\n')
    })

    it(`puts everything back after ${error} in the middle of a restore`, () => {
      using place = new Place(quickDirectory())
      place.sh('mkdir -p d e; echo 1 > d/f; ln d/f d/g; head -c 2000000 /dev/urandom > large; echo x > e/x; ln -s t link')
      const id = place.create()
      place.sh('echo 2 > d/f; rm d/g; head -c 2000001 /dev/urandom > large; rm -r e link; mkdir link; echo new > link/new; chmod 700 d')
      const now = listing(place.home)
      let failures = 0
      for (const step of steps(place)) {
        for (const time of error === 'EIO' ? [1] : [2]) {
          const ids = place.ids()
          const got = place.try(['restore', id, '{}'], { fault: `${step}:${time}:${error}` })
          if (got.status === 0) {
            place.restore(String(got.result['safety']))
            continue
          }
          failures++
          expect(got.failure?.number, step).to.equal(error === 'ENOSPC' ? 28 : 5)
          expect(listing(place.home), step).to.equal(now)
          expect(place.ids(), step).to.deep.equal(ids)
          expect(place.try(['pending']).stdout.toString(), step).to.equal('clean\n')
        }
      }
      expect(failures).to.be.greaterThan(7)
      expect(place.try(['verify']).stdout.toString()).to.equal('sound\n')
    })
  }
})

describe('amux-disk, on a full file system', () => {
  let image = ''
  let mounted = ''
  before(function () {
    if (!isRoot) leaveOut(this, 'it needs root')
    image = mkdtempSync(join(tmpdir(), 'amux-disk-image-'))
    mounted = join(image, 'on')
    try {
      execFileSync('bash', ['-ec', `cd ${image}; truncate -s 64M ext4; mkfs.ext4 -q -m 0 ext4; mkdir on; mount -o loop ext4 on`], { stdio: 'pipe' })
    } catch (error) {
      leaveOut(this, `no file system can be mounted: ${String(error)}`)
    }
  })
  after(() => {
    if (mounted !== '') execFileSync('bash', ['-c', `umount ${mounted}; true`], { stdio: 'pipe' })
    if (image !== '') rmSync(image, { recursive: true, force: true })
  })

  it('makes nothing of a create, keeps the older ones, and has room again after rm', () => {
    using place = new Place(mounted)
    place.sh('head -c 12000000 /dev/urandom > a; echo small > b')
    const id = place.create()
    place.sh('head -c 22000000 /dev/urandom > c')
    const [stored, packs] = [place.stored(), place.packs()]
    expect(place.try(['create', 'v', '{}']).failure).to.include({ number: 28, step: 'content' })
    expect([place.ids(), place.packs(), place.stored()]).to.deep.equal([[id], packs, stored])
    place.sh('rm c; echo other > b')
    place.restore(id)
    expect(place.sh('cat b')).to.equal('small\n')
    place.sh('head -c 25000000 /dev/zero | tr "\\\\0" y > fill || true')
    place.run(['rm', ...place.ids()])
    expect(place.packs()).to.deep.equal([])
  })

  it('refuses a restore that has no room, before any change', () => {
    using place = new Place(mounted)
    place.sh('head -c 20000000 /dev/urandom > a; truncate -s 100M sparse')
    const id = place.create()
    place.sh('rm a; echo x > b')
    place.restore(id, ['/home/amux/sparse'])
    place.sh('head -c 15000000 /dev/urandom > fill')
    const now = listing(place.home)
    place.create()
    const ids = place.ids()
    place.sh('rm -f b; echo x > b')
    const before = listing(place.home)
    expect(place.try(['restore', id, '{}'], { paths: ['/home/amux/a'] }).failure).to.include({ number: 28, step: 'room' })
    expect(listing(place.home)).to.equal(before)
    expect(place.ids()).to.deep.equal(ids)
    expect(now).to.be.a('string')
  })
})

for (const type of ['xfs', 'btrfs']) {
  describe(`amux-disk, on ${type}, which shares blocks`, () => {
    it('copies nothing, and is as exact', function () {
      if (!isRoot) leaveOut(this, 'it needs root')
      const image = mkdtempSync(join(tmpdir(), 'amux-disk-image-'))
      const mounted = join(image, 'on')
      try {
        execFileSync('bash', ['-ec', `cd ${image}; truncate -s 400M fs; mkfs.${type} -q fs; mkdir on; mount -o loop fs on`], { stdio: 'pipe' })
      } catch (error) {
        rmSync(image, { recursive: true, force: true })
        leaveOut(this, `no ${type} can be mounted: ${String(error)}`)
      }
      try {
        using place = new Place(mounted)
        const used = () => (execFileSync('sync', ['-f', mounted]), Number(execFileSync('df', ['-B1', '--output=used', mounted], { encoding: 'utf8' }).split('\n')[1]))
        place.sh('head -c 100000000 /dev/urandom > large; for i in $(seq 50); do head -c $((60000 + i * 12345)) /dev/urandom > f$i; done; truncate -s 30M sparse; echo x >> sparse; sync')
        const before = listing(place.home)
        const had = used()
        const id = place.create()
        expect(used() - had).to.be.lessThan(20_000_000)
        place.sh('printf change | dd of=large bs=1 seek=5000000 conv=notrunc status=none; rm f1?; echo more >> f5; rm sparse')
        place.restore(id)
        expect(listing(place.home)).to.equal(before)
        expect(used() - had).to.be.lessThan(40_000_000)
        place.run(['rm', ...place.ids()])
        expect(listing(place.home)).to.equal(before)
      } finally {
        execFileSync('bash', ['-c', `umount ${mounted}; true`], { stdio: 'pipe' })
        rmSync(image, { recursive: true, force: true })
      }
    })
  })
}
