import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'
import { FAR } from '../support/far.ts'
import { linkPlugins } from '../support/plugins.ts'

describe('a project on a computer that does not see it', () => {
  let amux: Scratch

  beforeEach(async () => {
    amux = await Scratch.make()
    await linkPlugins(amux.home, [{ name: 'amux-test-far', hook: FAR }])
  })
  afterEach(() => disposeAll(amux))

  const write = (path: string, text = path) => {
    mkdirSync(join(amux.project, path, '..'), { recursive: true })
    writeFileSync(join(amux.project, path), text)
  }
  const git = (...args: string[]) => execFileSync('git', ['-C', amux.project, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { stdio: 'pipe' })
  const sh = async (line: string, cwd = amux.project) => {
    const { status, stdout, stderr } = await amux.run(['computer', 'exec', '--', 'sh', '-c', line], { cwd })
    expect(status, stderr).to.equal(0)
    return stdout
  }

  it('is there with its history, its changes and its new files, and without what git ignores', async () => {
    git('init', '--quiet', '-b', 'main')
    for (const file of ['tracked', 'deleted', 'src/deep/file', '@odd name', 'ünï']) write(file)
    write('.gitignore', 'node_modules\n*.log\n')
    symlinkSync('tracked', join(amux.project, 'link'))
    git('add', '.')
    git('commit', '-m', 'first')
    write('tracked', 'changed')
    write('untracked')
    write('node_modules/large')
    write('debug.log')
    execFileSync('rm', [join(amux.project, 'deleted')])
    const { status, stdout, stderr } = await amux.run(['computer', 'create', '-P', 'far', '--json'])
    expect(status, stderr).to.equal(0)
    const { workspace } = JSON.parse(stdout) as { workspace: string }
    expect(workspace).to.match(/\/home\/project$/u)
    expect(await sh('pwd')).to.equal(`${workspace}\n`)
    expect((await sh('git log --format=%s && git status --porcelain')).split('\n')).to.have.members(['first', ' M tracked', ' D deleted', '?? untracked', ''])
    expect(await sh('cat tracked link untracked "@odd name" && ls -A node_modules debug.log .amux 2>/dev/null || true')).to.equal('changedchangeduntracked@odd name')
    expect(await sh('pwd', join(amux.project, 'src/deep'))).to.equal(`${workspace}/src/deep\n`)
  })

  it('is filled once: later changes on either side stay where they were made', async () => {
    write('file', 'first')
    await amux.run(['computer', 'create', '-P', 'far'])
    await sh('echo mine > file')
    write('file', 'second')
    await amux.run(['computer', 'create'])
    await amux.run(['computer', 'restart'])
    expect(await sh('cat file')).to.equal('mine\n')
  })

  it('without git is there as a whole', async () => {
    for (const file of ['a', 'deep/b', '.hidden', 'x.log']) write(file)
    expect((await amux.run(['computer', 'create', '-P', 'far'])).status).to.equal(0)
    expect(await sh('cat a deep/b .hidden x.log; ls -A')).to.equal('adeep/b.hiddenx.log.hidden\na\ndeep\nx.log\n')
  })

  it('runs a program that is not on the computer’s disk yet exactly where one stands', async () => {
    write('sub/tool', '#!/bin/sh\npwd\n')
    execFileSync('chmod', ['+x', join(amux.project, 'sub/tool')])
    await amux.run(['computer', 'create', '-P', 'far'])
    expect((await amux.run(['computer', 'run', './tool'], { cwd: join(amux.project, 'sub') })).stdout).to.match(/\/project\/sub\n$/u)
  })
})
