import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asRoot, attempt, type Bench, bench, failure, sh } from './support.ts'

describe('deleting a local computer', () => {
  let local: Bench
  let dir: string
  before(async () => {
    local = await bench()
    dir = await mkdtemp(join(tmpdir(), 'amux-precious-'))
    await writeFile(join(dir, 'precious'), 'precious')
  })
  after(async () => {
    await local.end()
    await rm(dir, { recursive: true, force: true })
  })

  it('removes all of it, whatever its programs made', async () => {
    const computer = await local.create()
    await sh(computer, 'cd ~; mkdir -p locked/in; touch locked/in/file; chmod 0 locked/in; chmod 555 locked; mkfifo fifo; ln -s / root; touch "$(printf "odd\\nname")"')
    await sh(computer, 'cd ~; mkdir deep; cd deep; i=0; while [ $i -lt 600 ]; do mkdir d d2 && cd d || exit 1; i=$((i+1)); done')
    await computer.delete()
    expect(await readdir(join(local.dataDir, 'computers'))).to.deep.equal([])
    expect(await readdir(join(local.dataDir, 'r'))).to.deep.equal([])
  })

  it('never touches the project, nor what links lead to', async () => {
    const computer = await local.create({ project: { path: dir, name: 'p' } })
    await sh(computer, `ln -s "${dir}" ~/link; ln -s "${dir}/precious" ~/file`)
    await symlink(dir, join(local.dataDir, 'computers', computer.name, 'store/link'))
    await computer.delete()
    expect(await readFile(join(dir, 'precious'), 'utf8')).to.equal('precious')
  })

  if (asRoot) {
    it('is refused while something is mounted in its directory', async () => {
      const computer = await local.create()
      await sh(computer, 'echo kept > ~/file')
      const place = join(local.dataDir, 'computers', computer.name, 'disk/mounted here')
      await mkdir(place)
      execFileSync('mount', ['--bind', dir, place])
      try {
        const error = await failure(computer.delete())
        expect(error).to.include({ code: 'conflict' }).and.have.property('message').that.includes(place)
        expect(await sh(computer, 'cat ~/file')).to.equal('kept')
      } finally {
        execFileSync('umount', [place])
      }
      await computer.delete()
      expect(await readFile(join(dir, 'precious'), 'utf8')).to.equal('precious')
    })
  }
})

if (asRoot) {
  describe('on a full disk', () => {
    let local: Bench
    let disk: string
    before(async () => {
      disk = await mkdtemp(join(tmpdir(), 'amux-small-'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'small', disk])
      local = await bench(disk)
    })
    after(async () => {
      await local.end()
      execFileSync('umount', ['-l', disk])
      await rm(disk, { recursive: true, force: true })
    })

    it('a local computer tells its programs, goes on, and starts again', async () => {
      const computer = await local.create()
      await sh(computer, 'echo kept > ~/file')
      const { exit, stderr } = await attempt(computer, 'head -c 64000000 /dev/zero > ~/big')
      expect(exit.code).not.to.equal(0)
      expect(stderr).to.include('No space left')
      expect(await sh(computer, 'cat ~/file')).to.equal('kept')
      await computer.stop()
      await computer.start()
      expect(await sh(computer, 'rm ~/big; cat ~/file')).to.equal('kept')
      await computer.delete()
    })

    it('creating one leaves nothing behind', async () => {
      await writeFile(join(disk, 'filler'), Buffer.alloc(40_000_000)).catch(() => undefined)
      const error = await failure(local.create())
      expect(['ENOSPC', 'quota_exceeded']).to.include(error.code)
      expect((await readdir(join(disk, 'computers'))).length).to.equal(0)
      await rm(join(disk, 'filler'))
      await (await local.create()).delete()
    })
  })
}
