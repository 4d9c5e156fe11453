import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import type { ErrorDocument } from '../support/amux.ts'
import { TwoSides } from '../sync/two-sides.ts'

describe('amux computer sync', () => {
  let sides: TwoSides

  beforeEach(async () => (sides = await TwoSides.make()))
  afterEach(() => sides.dispose())

  describe('without git', () => {
    beforeEach(async () => {
      for (const path of ['a', 'b', 'deep/c', 'deep/d']) sides.put('here', path)
      await sides.create()
    })

    it('has nothing to do after the computer was filled, and knows that at once', async () => {
      for (const direction of ['push', 'pull']) {
        const { status, stdout, stderr } = await sides.run(direction)
        expect([status, stdout]).to.deep.equal([0, ''])
        expect(stderr).to.contain(`Nothing to ${direction}`)
      }
      sides.expectClean()
    })

    it('carries what is new and what changed, links and modes too, and only that', async () => {
      sides.put('here', 'a', 'changed')
      sides.put('here', 'new/deep/file', 'new')
      symlinkSync('a', join(sides.here, 'link'))
      chmodSync(join(sides.here, 'b'), 0o755)
      const before = statSync(join(sides.there, 'deep/c')).ino
      expect(await sides.lines('push', '--dry-run')).to.deep.equal(['~ a', '~ b', '+ link', '+ new/deep/file'])
      expect(sides.read('there', 'a')).to.equal('a')
      expect(await sides.lines('push')).to.deep.equal(['~ a', '~ b', '+ link', '+ new/deep/file'])
      expect([sides.read('there', 'a'), sides.read('there', 'new/deep/file'), readlinkSync(join(sides.there, 'link'))]).to.deep.equal(['changed', 'new', 'a'])
      expect(statSync(join(sides.there, 'b')).mode & 0o777).to.equal(0o755)
      expect(statSync(join(sides.there, 'deep/c')).ino).to.equal(before)
      expect(await sides.lines('push')).to.deep.equal([])
      expect(await sides.lines('pull')).to.deep.equal([])
      sides.expectClean()
    })

    it('carries back what changed there, hostile names excepted', async () => {
      sides.put('there', 'a', 'from there')
      sides.put('there', 'odd name\nwith a line', 'x')
      sides.put('there', '-r', 'y')
      sides.put('there', '@at', 'z')
      sides.put('there', 'sub/.git/hooks/post-checkout', 'evil')
      sides.put('there', 'sub/.GIT/config', 'evil')
      expect((await sides.done('pull')).changes.map(({ path }) => path)).to.deep.equal(['-r', '@at', 'a', 'odd name\nwith a line'])
      expect([sides.read('here', 'a'), sides.read('here', '-r'), sides.read('here', '@at'), sides.read('here', 'odd name\nwith a line')]).to.deep.equal(['from there', 'y', 'z', 'x'])
      expect(existsSync(join(sides.here, 'sub'))).to.equal(false)
      expect(await sides.lines('push')).to.deep.equal([])
      sides.expectClean()
    })

    it('takes each side’s own changes where they belong, one after the other', async () => {
      sides.put('here', 'a', 'mine')
      sides.put('there', 'b', 'theirs')
      expect(await sides.lines('push')).to.deep.equal(['~ a'])
      expect(sides.read('there', 'b')).to.equal('theirs')
      expect(await sides.lines('pull')).to.deep.equal(['~ b'])
      expect([sides.read('there', 'a'), sides.read('here', 'b')]).to.deep.equal(['mine', 'theirs'])
    })

    it('refuses by name what both sides changed, and carries nothing then', async () => {
      sides.put('here', 'a', 'mine')
      sides.put('here', 'c', 'mine alone')
      sides.put('there', 'a', 'theirs')
      expect(await sides.refused('push')).to.contain('a (changed on both sides)')
      expect(await sides.refused('pull')).to.contain('a (changed on both sides)')
      expect([sides.read('here', 'a'), sides.read('there', 'a'), existsSync(join(sides.there, 'c'))]).to.deep.equal(['mine', 'theirs', false])
      const document = await sides.done('push', '-n')
      expect(document.conflicts).to.deep.equal([{ path: 'a', why: 'both changed' }])
      const { stderr } = await sides.run('push')
      expect(stderr).to.contain('! a   changed on both sides').and.to.contain('amux computer sync pull --force a')
      expect(await sides.lines('push', 'c')).to.deep.equal(['+ c'])
      expect(await sides.lines('pull', '--force', 'a')).to.deep.equal(['~ a'])
      expect(sides.read('here', 'a')).to.equal('theirs')
      expect(await sides.lines('push')).to.deep.equal([])
    })

    it('does not take for changed on both sides what became the same', async () => {
      sides.put('here', 'a', 'same')
      sides.put('there', 'a', 'same')
      expect(await sides.lines('push')).to.deep.equal([])
      sides.put('here', 'a', 'next')
      expect(await sides.lines('push')).to.deep.equal(['~ a'])
    })

    it('does not carry what was only touched, and takes it for no change where it was filled either', async () => {
      writeFileSync(join(sides.here, 'a'), 'a')
      expect(await sides.lines('push')).to.deep.equal([])
      // As a restored checkpoint does: the same in a new file.
      sides.put('there', 'new', 'b')
      renameSync(join(sides.there, 'new'), join(sides.there, 'b'))
      sides.put('here', 'b', 'mine')
      expect(await sides.lines('push')).to.deep.equal(['~ b'])
      writeFileSync(join(sides.here, 'deep/c'), 'deep/c')
      sides.put('there', 'deep/c', 'theirs')
      expect(await sides.lines('pull')).to.deep.equal(['~ deep/c'])
    })

    it('says of what is nowhere that it is, and carries nothing', async () => {
      sides.put('here', 'a', 'changed')
      const { status, document } = await sides.amux.json<ErrorDocument>(['computer', 'sync', 'push', 'a', 'nope.txt'])
      expect([status, document.error.code]).to.deep.equal([3, 'not_found'])
      expect(document.error.message).to.match(/^nope\.txt is neither in /)
      expect(sides.read('there', 'a')).to.equal('a')
      expect(await sides.lines('push', 'deep')).to.deep.equal([])
    })

    it('deletes only when asked to, and never what changed on the other side', async () => {
      rmSync(join(sides.here, 'deep'), { recursive: true })
      sides.put('there', 'deep/d', 'changed there')
      const document = await sides.done('push')
      expect(document).to.deep.include({ changes: [], kept: ['deep/c', 'deep/d'] })
      expect(await sides.refused('push', '--delete')).to.contain('deep/d')
      expect(sides.read('there', 'deep/c')).to.equal('deep/c')
      expect(await sides.lines('push', '--delete', 'deep/c')).to.deep.equal(['- deep/c'])
      expect(await sides.lines('push', '--delete', '--force')).to.deep.equal(['- deep/d'])
      expect(existsSync(join(sides.there, 'deep'))).to.equal(false)
      rmSync(join(sides.there, 'b'))
      expect(await sides.lines('pull')).to.deep.equal([])
      expect(await sides.lines('pull', '--delete')).to.deep.equal(['- b'])
      expect(existsSync(join(sides.here, 'b'))).to.equal(false)
    })

    it('says what was changed here and deleted there', async () => {
      sides.put('here', 'a', 'mine')
      rmSync(join(sides.there, 'a'))
      expect(await sides.refused('push')).to.contain('a')
      expect(await sides.lines('push', '--force')).to.deep.equal(['+ a'])
    })

    it('never writes through a link or over a directory on the way, with force neither', async () => {
      const outside = join(sides.amux.path, 'outside')
      mkdirSync(outside)
      rmSync(join(sides.there, 'deep'), { recursive: true })
      symlinkSync(outside, join(sides.there, 'deep'))
      sides.put('here', 'deep/new', 'x')
      rmSync(join(sides.there, 'a'))
      mkdirSync(join(sides.there, 'a'))
      sides.put('here', 'a', 'changed')
      const document = await sides.done('push', '-n', '--force')
      expect(document.conflicts).to.deep.include.members([{ path: 'a', why: 'in the way' }, { path: 'deep/new', why: 'in the way' }])
      await sides.refused('push', '--force')
      sides.put('there', 'evil/x', 'x')
      symlinkSync(outside, join(sides.here, 'evil'))
      expect(await sides.refused('pull', 'evil/x')).to.contain('evil/x')
      expect(readdirSync(outside)).to.deep.equal([])
    })

    it('turns a file into a directory and back', async () => {
      rmSync(join(sides.here, 'a'))
      sides.put('here', 'a/inside', 'x')
      await sides.refused('push')
      expect(await sides.lines('push', '--delete')).to.deep.equal(['- a', '+ a/inside'])
      expect(sides.read('there', 'a/inside')).to.equal('x')
      rmSync(join(sides.there, 'a'), { recursive: true })
      sides.put('there', 'a', 'file again')
      await sides.refused('pull', '--delete')
      expect(await sides.lines('pull', '--delete', 'a/inside')).to.deep.equal(['- a/inside'])
      expect(await sides.lines('pull')).to.deep.equal(['+ a'])
      expect(sides.read('here', 'a')).to.equal('file again')
    })

    it('compares contents where it remembers nothing, and overwrites nothing that differs', async () => {
      rmSync(join(sides.amux.home, 'state/sync'), { recursive: true })
      sides.put('there', 'a', 'other')
      sides.put('there', 'added there', 'x')
      sides.put('here', 'added here', 'y')
      expect(await sides.refused('push')).to.contain('a (differs, and was never synced)')
      expect(await sides.lines('push', 'added here', 'b', 'deep')).to.deep.equal(['+ added here'])
      expect(await sides.lines('pull', '--force')).to.deep.equal(['~ a', '+ added there'])
      writeFileSync(join(sides.amux.home, 'state/sync', readdirSync(join(sides.amux.home, 'state/sync')).find((name) => name.endsWith('.json')) ?? ''), '{"version":1,')
      expect(await sides.lines('push')).to.deep.equal([])
    })

    it('begins anew where the workspace is gone, and takes nothing here for deleted', async () => {
      rmSync(sides.there, { recursive: true })
      expect((await sides.amux.json<ErrorDocument>(['computer', 'sync', 'pull', '--delete'])).document.error.code).to.equal('not_found')
      expect(await sides.lines('push')).to.deep.equal(['+ a', '+ b', '+ deep/c', '+ deep/d'])
      expect([sides.read('there', 'deep/c'), sides.read('here', 'deep/c')]).to.deep.equal(['deep/c', 'deep/c'])
    })

    it('is only for paths of the project, from where one stands', async () => {
      sides.put('here', 'deep/c', 'changed')
      sides.put('here', 'a', 'changed')
      const outside = await sides.amux.json<ErrorDocument>(['computer', 'sync', 'push', '..'])
      expect([outside.status, outside.document.error.code]).to.deep.equal([2, 'invalid_argument'])
      expect((await sides.amux.json<ErrorDocument>(['computer', 'sync', 'push', '.amux'])).status).to.equal(2)
      const { stdout } = await sides.amux.run(['computer', 'sync', 'push', 'c'], { cwd: join(sides.here, 'deep') })
      expect([stdout, sides.read('there', 'deep/c'), sides.read('there', 'a')]).to.deep.equal(['~ deep/c\n', 'changed', 'a'])
    })

    it('two at once wait for each other, and one of them carries', async () => {
      for (let number = 0; number < 50; number++) sides.put('here', `many/${number}`)
      const both = await Promise.all([sides.run('push'), sides.run('push')])
      expect(both.map(({ status }) => status)).to.deep.equal([0, 0])
      expect(both.map(({ stdout }) => stdout.split('\n').length - 1).toSorted((x, y) => x - y)).to.deep.equal([0, 50])
      expect(readdirSync(join(sides.there, 'many'))).to.have.length(50)
      sides.expectClean()
    })

    it('leaves out what is neither file nor link, and says so', async () => {
      execFileSync('mkfifo', [join(sides.here, 'pipe')])
      const document = await sides.done('push')
      expect(document.left).to.deep.equal([{ path: 'pipe', why: 'neither a file nor a link' }])
      expect(lstatSync(join(sides.there, 'pipe'), { throwIfNoEntry: false })).to.equal(undefined)
    })
  })

  it('takes a project to a computer that was taken over, and finds it there from then on', async () => {
    sides.put('here', 'sub/file', 'from here')
    const elsewhere = join(sides.amux.path, 'elsewhere')
    mkdirSync(elsewhere)
    const { document } = await sides.amux.json<{ name: string }>(['computer', 'create', '-P', 'far'], { cwd: elsewhere })
    await sides.amux.run(['computer', 'use', document.name, '-P', 'far', '--yes'])
    expect(await sides.lines('push')).to.deep.equal(['+ sub/file'])
    const { stdout } = await sides.amux.run(['computer', 'exec', '--', 'cat', 'file'], { cwd: join(sides.here, 'sub') })
    expect(stdout).to.equal('from here')
    const { status, document: other } = await sides.amux.json<ErrorDocument>(['computer', 'sync', 'pull', '-c', document.name, '-P', 'far'], { cwd: sides.amux.path })
    expect([status, other.error.code]).to.deep.equal([6, 'conflict'])
  })

  it('says of a computer that sees the project that there is nothing to carry', async () => {
    sides.put('here', 'a')
    expect((await sides.amux.run(['computer', 'create', '-P', 'local'])).status).to.equal(0)
    const { status, stdout, stderr } = await sides.run('push')
    expect([status, stdout]).to.deep.equal([0, ''])
    expect(stderr).to.contain('sees the project itself')
  })
})
