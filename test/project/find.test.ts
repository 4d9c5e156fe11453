import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { findProject } from '../../src/project/index.ts'

describe('finding the project', () => {
  let base = ''

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'amux-find-')))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  const git = (cwd: string, ...args: string[]) => {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'protocol.file.allow=always', '-c', 'init.defaultBranch=main']
    execFileSync('git', [...identity, '-C', cwd, ...args], { stdio: 'pipe' })
  }
  const repository = (name: string, ...flags: string[]) => {
    const root = join(base, name)
    mkdirSync(root)
    git(root, 'init', ...flags)
    if (!flags.includes('--bare')) git(root, 'commit', '--allow-empty', '-m', 'first')
    return root
  }

  it('is the repository, from any directory below it', () => {
    const root = repository('web')
    mkdirSync(join(root, 'src/deep'), { recursive: true })
    const found = findProject(join(root, 'src/deep'))
    expect(found).to.deep.equal({ root, worktree: root, cwd: join(root, 'src/deep'), name: 'web', git: join(root, '.git') })
  })

  it('is the same from every worktree', () => {
    const root = repository('web')
    git(root, 'worktree', 'add', '../web-feature')
    git(root, 'worktree', 'add', 'trees/inside')
    mkdirSync(join(base, 'web-feature/sub'))
    const outside = findProject(join(base, 'web-feature/sub'))
    expect(outside.root).to.equal(root)
    expect(outside.worktree).to.equal(join(base, 'web-feature'))
    expect(findProject(join(root, 'trees/inside')).root).to.equal(root)
  })

  it('is found through links', () => {
    const root = repository('web')
    mkdirSync(join(root, 'src'))
    symlinkSync(join(root, 'src'), join(base, 'elsewhere'))
    expect(findProject(join(base, 'elsewhere')).root).to.equal(root)
    symlinkSync(join(root, '.git'), join(base, '.git'))
    mkdirSync(join(base, 'plain'))
    expect(findProject(join(base, 'plain')).git).to.equal(join(root, '.git'))
  })

  it('is a submodule itself, not what contains it', () => {
    const library = repository('library')
    const root = repository('app')
    git(root, 'submodule', 'add', library, 'vendor/library')
    const found = findProject(join(root, 'vendor/library'))
    expect(found.root).to.equal(join(root, 'vendor/library'))
    git(join(root, 'vendor/library'), 'worktree', 'add', join(base, 'library-fix'))
    expect(findProject(join(base, 'library-fix')).root).to.equal(join(root, 'vendor/library'))
  })

  it('is a bare repository, and the same from its worktrees', () => {
    const bare = repository('service.git', '--bare')
    const seed = repository('seed')
    git(seed, 'push', bare, 'HEAD:main')
    git(bare, 'worktree', 'add', join(base, 'service-main'), 'main')
    expect(findProject(bare)).to.include({ root: bare, name: 'service' })
    expect(findProject(join(base, 'service-main')).root).to.equal(bare)
    expect(findProject(join(bare, 'objects')).root).to.equal(bare)
  })

  it('is the folder around a hidden bare repository', () => {
    const folder = join(base, 'shop')
    mkdirSync(folder)
    const seed = repository('seed')
    git(folder, 'clone', '--bare', seed, '.bare')
    writeFileSync(join(folder, '.git'), 'gitdir: ./.bare\n')
    git(folder, 'worktree', 'add', 'main')
    expect(findProject(join(folder, 'main'))).to.include({ root: folder, name: 'shop' })
    expect(findProject(folder).root).to.equal(folder)
  })

  it('follows a git directory that is kept elsewhere', () => {
    const root = join(base, 'app')
    mkdirSync(root)
    git(root, 'init', '--separate-git-dir', join(base, 'store'))
    expect(findProject(root).root).to.equal(root)
  })

  it('is the directory itself without git, or the nearest above that has a record', () => {
    mkdirSync(join(base, 'plain/sub'), { recursive: true })
    expect(findProject(join(base, 'plain/sub')).root).to.equal(join(base, 'plain/sub'))
    mkdirSync(join(base, 'plain/.amux'))
    writeFileSync(join(base, 'plain/.amux/computer.json'), 'not even JSON')
    expect(findProject(join(base, 'plain/sub')).root).to.equal(join(base, 'plain'))
  })

  it('does not take an empty .git directory for a repository, as git does not', () => {
    const root = repository('outer')
    mkdirSync(join(root, 'inner/.git'), { recursive: true })
    expect(findProject(join(root, 'inner')).root).to.equal(root)
  })

  it('says so when a worktree has lost its repository', () => {
    mkdirSync(join(base, 'lost'))
    writeFileSync(join(base, 'lost/.git'), 'gitdir: /nowhere/.git/worktrees/lost\n')
    expect(() => findProject(join(base, 'lost'))).to.throw(/lost\/\.git does not point to a git repository/).with.property('code', 'corrupt')
  })
})
