import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

/** Git worktrees are wherever the user wants them. */
describe('a worktree outside the project', () => {
  let amux: Scratch

  const at = (name: string) => join(amux.path, name)
  const git = (...args: string[]) => execFileSync('git', args, { cwd: amux.project, stdio: 'ignore' })
  const said = async (cwd: string, ...args: string[]) => {
    const { status, stdout, stderr } = await amux.run(['computer', ...args], { cwd })
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }

  before(async () => {
    amux = await Scratch.make()
    git('init', '-q')
    git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-q', '--allow-empty', '-m', 'first')
    git('worktree', 'add', '-q', at('early'))
    mkdirSync(at('early/sub'))
    await said(at('early'), 'create', '-P', 'local')
  })
  after(() => disposeAll(amux))

  it('is on the computer at its own path, and is where programs run and files go', async () => {
    expect(await said(at('early/sub'), 'exec', '--', 'pwd')).to.equal(at('early/sub'))
    expect(await said(at('early'), 'exec', '--', 'git', 'rev-parse', '--abbrev-ref', 'HEAD')).to.equal('early')
    expect(await said(amux.project, 'exec', '--', 'pwd')).to.equal(amux.project)
    writeFileSync(join(amux.path, 'file'), 'x')
    await said(at('early'), 'cp', '../file', ':sub/copied')
    expect(existsSync(at('early/sub/copied'))).to.equal(true)
    expect(existsSync(join(amux.project, 'sub'))).to.equal(false)
  })

  it('-w is a path from there on', async () => {
    expect(await said(at('early'), 'exec', '-w', 'sub', '--', 'pwd')).to.equal(at('early/sub'))
    expect(await said(at('early/sub'), 'exec', '-w', '..', '--', 'pwd')).to.equal(at('early'))
    expect(await said(at('early'), 'exec', '-w', '/tmp', '--', 'pwd')).to.equal('/tmp')
    expect(await said(at('early'), 'exec', '-w', '~', '--', 'sh', '-c', '[ "$PWD" = "$HOME" ] && echo home')).to.equal('home')
  })

  it('made while the computer runs is there too, or nothing is run elsewhere', async () => {
    git('worktree', 'add', '-q', at('late'))
    const first = await amux.run(['computer', 'exec', '--', 'pwd'], { cwd: at('late') })
    if (first.status === 0) expect(first.stdout.trim()).to.equal(at('late'))
    else {
      expect({ status: first.status, stdout: first.stdout }).to.deep.equal({ status: 125, stdout: '' })
      expect(first.stderr).to.contain(`${at('late')} is not on`).and.contain('amux computer restart')
      await said(at('late'), 'restart')
    }
    expect(await said(at('late'), 'exec', '--', 'git', 'rev-parse', '--abbrev-ref', 'HEAD')).to.equal('late')
  })

  it('made anew at the same path is the new one', async () => {
    git('worktree', 'remove', at('early'), '--force')
    git('worktree', 'add', '-q', '-b', 'again', at('early'))
    const { status, stdout } = await amux.run(['computer', 'exec', '--', 'git', 'rev-parse', '--abbrev-ref', 'HEAD'], { cwd: at('early') })
    if (status === 125) await said(at('early'), 'restart')
    else expect(stdout.trim()).to.equal('again')
    expect(await said(at('early'), 'exec', '--', 'git', 'rev-parse', '--abbrev-ref', 'HEAD')).to.equal('again')
  })

  it('that is gone keeps no computer from starting', async () => {
    git('worktree', 'remove', at('late'), '--force')
    await said(amux.project, 'restart')
    expect(await said(amux.project, 'exec', '--', 'pwd')).to.equal(amux.project)
  })
})
