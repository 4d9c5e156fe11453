import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { directoryOn, findProject, otherWorktrees } from '../../src/project/index.ts'
import { identity } from '../../src/project/directory.ts'

describe('a project’s other worktrees', () => {
  let dir = ''

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'amux-worktrees-')))
    mkdirSync(at('main'))
    git('init', '-q')
    git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-q', '--allow-empty', '-m', 'first')
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const at = (...path: string[]) => join(dir, ...path)
  const git = (...args: string[]) => execFileSync('git', args, { cwd: at('main'), stdio: 'ignore' })
  const others = () => otherWorktrees(findProject(at('main')))

  it('are none at first, and then those outside its root, links resolved', () => {
    expect(others()).to.deep.equal([])
    mkdirSync(at('real'))
    symlinkSync(at('real'), at('link'))
    git('worktree', 'add', '-q', at('link/one'))
    git('worktree', 'add', '-q', at('main/inside'))
    expect(others()).to.deep.equal([at('real/one')])
    expect(otherWorktrees(findProject(at('real/one')))).to.deep.equal([at('real/one')])
  })

  it('leave out what lies in another one, is gone, or is on its way', () => {
    for (const name of ['a', 'gone', 'moved']) git('worktree', 'add', '-q', at(name))
    git('worktree', 'add', '-q', at('a/nested'))
    rmSync(at('gone'), { recursive: true })
    renameSync(at('moved'), at('elsewhere'))
    expect(others()).to.deep.equal([at('a')])
  })

  it('are only those that say so themselves: the list may have been written on a computer', () => {
    mkdirSync(at('private'))
    mkdirSync(at('other'))
    execFileSync('git', ['init', '-q'], { cwd: at('other') })
    git('worktree', 'add', '-q', at('a'))
    for (const [name, path] of [['x', 'private'], ['y', 'other'], ['z', 'a']] as const) {
      mkdirSync(at('main/.git/worktrees', `evil-${name}`))
      writeFileSync(at('main/.git/worktrees', `evil-${name}`, 'gitdir'), `${at(path)}/.git\n`)
    }
    expect(others()).to.deep.equal([at('a')])
  })

  it('are where one stands only while it is the same directory that the computer has', () => {
    git('worktree', 'add', '-q', at('a'))
    mkdirSync(at('a/sub'))
    const project = findProject(at('a/sub'))
    const shown = { workspace: at('main'), worktrees: { [at('a')]: identity(at('a')) ?? '' } }
    expect(directoryOn(shown, project)).to.equal(at('a/sub'))
    expect(directoryOn({ workspace: at('main') }, project)).to.equal(undefined)
    renameSync(at('a'), at('old'))
    mkdirSync(at('a/sub'), { recursive: true })
    expect(directoryOn(shown, project)).to.equal(undefined)
  })
})
