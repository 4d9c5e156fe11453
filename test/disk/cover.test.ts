import { expect } from 'chai'
import { describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listing } from './lister.ts'
import { isRoot, leaveOut, Place } from './place.ts'

describe('amux-disk, what it covers', () => {
  it('neither takes nor touches excepted entries', () => {
    using place = new Place()
    place.trees = [{ name: 'home', path: place.home, at: '/w', except: ['.amux'] }]
    place.sh('mkdir .amux d; echo mine > .amux/x; echo 1 > d/f')
    const id = place.create()
    expect(place.list()[0]).to.include({ entries: 3, size: 2 })
    place.sh('echo later > .amux/x; echo more > .amux/y; rm -r d')
    place.restore(id)
    expect(place.sh('cat .amux/x .amux/y d/f')).to.equal('later\nmore\n1\n')
    place.sh('rm -r .amux; mkdir .amux')
    expect(place.diff(id)).to.deep.equal([])
    expect(place.restore(id, ['/w/.amux'])).to.include({ changed: 0 })
  })

  it('restores only what is asked for, with what is missing above it', () => {
    using place = new Place()
    place.sh('mkdir -p a/b/c other; echo 1 > a/b/c/f; echo 2 > a/b/g; echo 3 > other/h; touch -d @5 a other; chmod 711 a')
    const id = place.create()
    place.sh('echo new > a/b/new; echo changed > a/b/c/f; echo changed > other/h; touch -d @9 other')
    const result = place.restore(id, ['/home/amux/a/b/c/f', '/home/amux/a/b/new'])
    expect(result['changed']).to.equal(2)
    expect(place.sh('cat a/b/c/f other/h; ls a/b; stat -c %Y other')).to.equal('1\nchanged\nc\ng\n9\n')
    place.sh('rm -r a')
    place.restore(id, ['/home/amux/a/b/c'])
    expect(place.sh('find a | sort; stat -c "%a" a')).to.equal('a\na/b\na/b/c\na/b/c/f\n711\n')
    place.sh('rm -r a; echo file > a')
    place.restore(id, ['/home/amux/a/b/g'])
    expect(place.sh('find a | sort')).to.equal('a\na/b\na/b/g\n')
    // The whole of it is in the safety points still.
    place.restore(id)
    expect(place.sh('cat other/h a/b/c/f')).to.equal('3\n1\n')
  })

  it('does not change what a hard link outside the asked-for path shares', () => {
    using place = new Place()
    place.sh('mkdir a b; echo 1 > a/f; ln a/f b/f')
    const id = place.create()
    place.sh('chmod 600 a/f')
    place.restore(id, ['/home/amux/a'])
    expect(place.sh('stat -c %a a/f b/f')).to.equal('644\n600\n')
  })

  for (const path of ['relative', '/a/../b', '/a//b', '/./a', '/a/', '/a/..']) {
    it(`refuses the path ${path}`, () => {
      using place = new Place()
      const id = place.create()
      place.sh('echo x > x')
      expect(place.try(['restore', id, '{}'], { paths: [path] }).failure).to.include({ number: 22, step: 'path' })
      expect(place.ids()).to.deep.equal([id])
    })
  }

  it('keeps several trees apart, restores those below a path, skips shared ones on request, names those that are gone', () => {
    using place = new Place()
    const work = join(place.root, 'work')
    mkdirSync(work)
    writeFileSync(join(work, 'f'), '1')
    place.trees = [...place.trees, { name: 'workspace', path: work, at: '/home/amux/work', flags: 'shared' }]
    place.sh('echo 1 > f')
    const id = place.create()
    const change = () => {
      place.sh('echo 2 > f')
      writeFileSync(join(work, 'f'), '2')
    }
    change()
    const { safety } = place.restore(id, [], '--skip-shared')
    expect([place.sh('cat f'), readFileSync(join(work, 'f'), 'utf8')]).to.deep.equal(['1\n', '2'])
    place.restore(String(safety))
    expect([place.sh('cat f'), readFileSync(join(work, 'f'), 'utf8')], 'undone').to.deep.equal(['2\n', '2'])
    place.restore(id, ['/home/amux/work/f'])
    expect([place.sh('cat f'), readFileSync(join(work, 'f'), 'utf8')]).to.deep.equal(['2\n', '1'])
    change()
    expect(place.diff(id, '--only-shared').map(({ path }) => path)).to.deep.equal(['/home/amux/work/f'])
    expect(place.try(['diff', id, '--only-shared', '--count']).stdout.toString()).to.equal('1\n')
    place.restore(id, ['/home'])
    expect([place.sh('cat f'), readFileSync(join(work, 'f'), 'utf8')]).to.deep.equal(['1\n', '1'])
    change()
    place.trees = place.trees.slice(0, 1)
    expect(place.restore(id)).to.deep.include({ missing: ['workspace'] })
    expect([place.sh('cat f'), readFileSync(join(work, 'f'), 'utf8')]).to.deep.equal(['1\n', '2'])
  })

  it('marks a restore, and drops the point it was asked to', () => {
    using place = new Place()
    const mark = join(place.root, 'mark')
    place.sh('echo 1 > f')
    const id = place.create()
    place.restore(id, [], '--mark', mark)
    expect(existsSync(mark), 'nothing had to change').to.equal(false)
    place.sh('echo 22 > f')
    const { safety } = place.restore(id, [], '--mark', mark)
    expect(existsSync(mark)).to.equal(true)
    place.run(['restore', String(safety), '{}'], { input: place.request([], [`drop\t${safety}`]) })
    expect(place.ids()).to.deep.equal(['auto-2', id])
    expect(place.sh('cat f')).to.equal('22\n')
  })

  it('makes none on the way to a point that is missing, and lists the others first', () => {
    using place = new Place()
    place.sh('echo 1 > f')
    const id = place.create()
    expect(place.try(['create', 'auto', '{}', '--expect', 'v9']).failure).to.deep.equal({ number: 2, step: 'point', subject: 'v9' })
    const got = place.try(['create', 'auto', '{}', '--expect', id, '--list'])
    expect(got.stdout.toString()).to.match(/^point\t\{"id":"v1",.*"meta":\{"n":1\}\}\ndone\t/)
    expect(place.ids()).to.deep.equal(['auto-1', id])
  })

  it('removes what is outdated after a restore that changed something, and never what it restored', () => {
    using place = new Place()
    place.sh('echo 1 > f')
    const [old, id] = [place.create(), place.create()]
    const input = place.request([], [`outdated\t${old}`, `outdated\t${id}`, 'outdated\tv77', 'outdated\t../next'])
    place.run(['restore', id, '{}'], { input })
    expect(place.ids(), 'nothing changed').to.deep.equal([id, old])
    place.sh('echo 22 > f')
    place.run(['restore', id, '{}'], { input })
    expect(place.ids()).to.deep.equal(['auto-1', id])
    expect(place.run(['verify'])).to.deep.equal({})
  })

  it('never crosses into another mount', function () {
    if (!isRoot) leaveOut(this, 'it needs root')
    using place = new Place()
    place.sh('mkdir -p d/mnt keep; echo 1 > d/f; touch file')
    const id = place.create()
    execFileSync('mount', ['-t', 'tmpfs', 'none', join(place.home, 'd/mnt')])
    try {
      place.sh('echo inside > d/mnt/x; echo 2 > d/f; echo y > d/new')
      expect(place.create()).to.equal('v2')
      place.restore(id)
      expect(place.sh('cat d/mnt/x d/f; ls d')).to.equal('inside\n1\nf\nmnt\n')
      place.sh('echo 3 > keep/z')
      const bare = place.create()
      place.sh('rm -r keep')
      place.restore(bare)
      expect(place.sh('cat d/mnt/x keep/z')).to.equal('inside\n3\n')
      // A directory that must go, with a mount in it, stays.
      place.run(['rm', id])
      const without = { ...place.trees[0]!, path: join(place.root, 'empty') }
      mkdirSync(without.path)
      expect(existsSync(join(place.home, 'd/mnt/x'))).to.equal(true)
    } finally {
      execFileSync('umount', [join(place.home, 'd/mnt')])
    }
  })

  it('sees a layer as its user does', function () {
    if (!isRoot) leaveOut(this, 'it needs root')
    using place = new Place()
    const [base, upper, merged] = ['base', 'upper', 'merged'].map((name) => join(place.root, name)) as [string, string, string]
    execFileSync('bash', ['-ec', `cd ${place.root}; mkdir -p base/d/sub base/keep upper work merged; for i in 1 2 3; do echo $i > base/d/f$i; done; echo s > base/d/sub/s; echo k > base/keep/k; ln -s d/f1 base/link`])
    place.trees = [{ name: 'system', path: upper, at: '/', flags: 'layer', base }]
    const mounted = <Value>(script: string, then: () => Value): Value => {
      execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${base},upperdir=${upper},workdir=${place.root}/work,index=off`, merged])
      try {
        execFileSync('bash', ['-ec', script], { cwd: merged })
        return then()
      } finally {
        execFileSync('umount', [merged])
      }
    }
    const first = mounted('true', () => place.create())
    const changes = mounted('rm d/f1; echo new > d/f2; chmod 700 keep; rm -r d/sub; mkdir d/sub; echo q > d/sub/q; touch top', () => {
      place.create()
      return listing(merged)
    })
    expect(place.diff(first, 'v2').map(({ path, change, type, what }) => [path, change, type, (what as string[]).join()])).to.deep.equal([
      ['/d/f1', 'removed', 'file', ''],
      ['/d/f2', 'modified', 'file', 'content,time'],
      ['/d/sub/q', 'added', 'file', ''],
      ['/d/sub/s', 'removed', 'file', ''],
      ['/keep', 'modified', 'directory', 'mode'],
      ['/top', 'added', 'file', ''],
    ])
    expect(place.diff('v2', first).map(({ path, change }) => [path, change])).to.deep.include(['/d/sub/q', 'removed'])
    const cat = (id: string, path: string) => place.try(['cat', id, path])
    expect(cat(first, '/d/f1').stdout.toString()).to.equal('1\n')
    expect(cat('v2', '/d/f2').stdout.toString()).to.equal('new\n')
    expect([cat('v2', '/d/f1'), cat('v2', '/d/sub/s'), cat(first, '/link'), cat(first, '/d')].map(({ failure }) => failure?.number)).to.deep.equal([2, 2, 22, 21])
    mounted('rm -r d keep', () => undefined)
    const hidden = place.try(['restore', 'v2', '{}'], { paths: ['/d/f2'] })
    expect(hidden.failure).to.include({ number: 22, step: 'path' })
    place.restore('v2')
    expect(mounted('true', () => listing(merged))).to.equal(changes)
    place.restore(first)
    expect(mounted('true', () => execFileSync('cat', ['d/f1', 'd/sub/s', 'keep/k'], { cwd: merged, encoding: 'utf8' }))).to.equal('1\ns\nk\n')
  })
})
