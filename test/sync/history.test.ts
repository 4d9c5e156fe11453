import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { TwoSides } from './two-sides.ts'

describe('amux computer sync and git', () => {
  let sides: TwoSides

  beforeEach(async () => {
    sides = await TwoSides.make()
    sides.git('here', 'init', '-q', '-b', 'main')
    sides.put('here', 'file', 'one')
    sides.put('here', '.gitignore', 'node_modules\n*.log\n')
    sides.commit('here', 'first')
    await sides.create()
  })
  afterEach(() => sides.dispose())

  it('takes commits, new branches and HEAD along, and leaves nothing to commit there', async () => {
    sides.put('here', 'file', 'two')
    sides.put('here', 'node_modules/large', 'x')
    sides.commit('here', 'second')
    sides.git('here', 'tag', 'v1')
    sides.git('here', 'switch', '-q', '-c', 'feature')
    sides.put('here', 'feature', 'f')
    sides.commit('here', 'third')
    const first = await sides.lines('push')
    expect(first.slice(0, 2)).to.deep.equal(['+ feature', '~ file'])
    expect(sides.git('there', 'log', '--format=%s')).to.equal('third\nsecond\nfirst')
    expect([sides.git('there', 'status', '--porcelain'), sides.git('there', 'branch', '--show-current'), sides.git('there', 'tag')]).to.deep.equal(['', 'feature', 'v1'])
    expect(sides.git('there', 'fsck', '--full', '--strict')).to.equal('')
    expect(existsSync(join(sides.there, 'node_modules'))).to.equal(false)
    expect(await sides.lines('push')).to.deep.equal([])
    expect(await sides.lines('pull')).to.deep.equal([])
  })

  it('brings commits of the computer here', async () => {
    sides.put('there', 'file', 'theirs')
    sides.commit('there', 'by an agent')
    await sides.lines('pull')
    expect([sides.git('here', 'log', '--format=%s'), sides.git('here', 'status', '--porcelain'), sides.read('here', 'file')]).to.deep.equal(['by an agent\nfirst', '', 'theirs'])
    expect(await sides.lines('push')).to.deep.equal([])
  })

  it('refuses where both sides have commits, and files go without', async () => {
    sides.put('here', 'mine', 'x')
    sides.commit('here', 'mine')
    sides.put('there', 'theirs', 'y')
    sides.commit('there', 'theirs')
    const [ours, others] = [sides.git('here', 'rev-parse', 'main'), sides.git('there', 'rev-parse', 'main')]
    expect(await sides.refused('push')).to.contain('.git main')
    expect(await sides.refused('pull')).to.contain('.git main')
    expect([sides.git('here', 'rev-parse', 'main'), sides.git('there', 'rev-parse', 'main')]).to.deep.equal([ours, others])
    expect(await sides.lines('push', '--no-git')).to.deep.equal(['+ mine'])
    expect(await sides.lines('push', '--force')).to.have.length(1)
    expect([sides.git('there', 'rev-parse', 'main'), sides.git('there', 'cat-file', '-t', others)]).to.deep.equal([ours, 'commit'])
  })

  it('leaves what is staged there as it is', async () => {
    sides.put('there', 'staged', 'x')
    sides.git('there', 'add', 'staged')
    sides.put('here', 'file', 'two')
    sides.commit('here', 'second')
    const document = await sides.done('push')
    expect([document.staged, document.refs.map(({ name }) => name)]).to.deep.equal([true, ['refs/heads/main']])
    expect(sides.git('there', 'diff', '--cached', '--name-only').split('\n')).to.include('staged')
  })

  it('never replaces what git ignores there', async () => {
    sides.put('there', 'secret.log', 'theirs')
    writeFileSync(join(sides.here, '.gitignore'), 'node_modules\n')
    sides.put('here', 'secret.log', 'mine')
    expect(await sides.refused('push')).to.contain('secret.log')
    expect(sides.read('there', 'secret.log')).to.equal('theirs')
  })

  it('takes no hooks and no settings of git from the computer', async () => {
    writeFileSync(join(sides.there, '.git/hooks/post-checkout'), '#!/bin/sh\n', { mode: 0o755 })
    sides.git('there', 'config', 'core.fsmonitor', 'evil')
    sides.put('there', 'file', 'theirs')
    sides.commit('there', 'theirs')
    await sides.lines('pull')
    expect(existsSync(join(sides.here, '.git/hooks/post-checkout'))).to.equal(false)
    expect(readFileSync(join(sides.here, '.git/config'), 'utf8')).not.to.contain('evil')
  })

  it('leaves a repository inside to itself', async () => {
    sides.git('here', 'init', '-q', 'nested')
    sides.put('here', 'nested/file')
    const document = await sides.done('push')
    expect(document.left).to.deep.equal([{ path: 'nested', why: 'a repository of its own' }])
    expect(document.changes).to.deep.equal([])
  })

  it('moves no branch under another worktree', async () => {
    sides.git('here', 'branch', 'feature')
    await sides.lines('push')
    const other = join(sides.amux.path, 'other')
    sides.git('here', 'worktree', 'add', '-q', other, 'feature')
    sides.git('there', 'switch', '-q', 'feature')
    sides.put('there', 'theirs', 'x')
    sides.commit('there', 'on feature')
    const before = sides.git('here', 'rev-parse', 'feature')
    expect(await sides.refused('pull', '--force')).to.contain('.git feature')
    expect([sides.git('here', 'rev-parse', 'feature'), existsSync(join(sides.here, 'theirs'))]).to.deep.equal([before, false])
    sides.git('here', 'worktree', 'remove', other)
    await sides.lines('pull')
    expect([sides.git('here', 'log', '-1', '--format=%s'), sides.git('here', 'branch', '--show-current'), sides.git('here', 'status', '--porcelain')]).to.deep.equal(['on feature', 'feature', ''])
  })

  it('takes over no ref whose commits are not all there, and nothing that is no branch or tag', async () => {
    sides.put('there', 'file', 'theirs')
    sides.commit('there', 'theirs')
    const [commit, tree] = [sides.git('there', 'rev-parse', 'HEAD'), sides.git('there', 'rev-parse', 'HEAD^{tree}')]
    sides.git('there', 'update-ref', 'refs/remotes/origin/main', commit)
    sides.git('there', 'update-ref', 'refs/stash', commit)
    const before = sides.git('here', 'rev-parse', 'main')
    rmSync(join(sides.there, '.git/objects', tree.slice(0, 2), tree.slice(2)))
    const { status, stderr } = await sides.run('pull')
    expect(status, stderr).not.to.equal(0)
    expect([sides.git('here', 'rev-parse', 'main'), sides.git('here', 'for-each-ref', '--format=%(refname)'), sides.git('here', 'fsck')]).to.deep.equal([before, 'refs/heads/main', ''])
  })

  it('does not move what moves at the target at the same moment', async () => {
    sides.put('here', 'file', 'two')
    sides.commit('here', 'second')
    // Somebody holds the branch while it would be moved.
    writeFileSync(join(sides.there, '.git/refs/heads/main.lock'), '')
    const before = sides.git('there', 'rev-parse', 'main')
    const { status, stderr } = await sides.run('push')
    expect(status).to.equal(1)
    expect(stderr).to.contain('git on').and.to.contain('cannot move its branches')
    expect(sides.git('there', 'rev-parse', 'main')).to.equal(before)
    rmSync(join(sides.there, '.git/refs/heads/main.lock'))
    expect(await sides.lines('push')).to.have.length(1)
    expect([sides.git('there', 'log', '-1', '--format=%s'), sides.git('there', 'status', '--porcelain')]).to.deep.equal(['second', ''])
  })
})
