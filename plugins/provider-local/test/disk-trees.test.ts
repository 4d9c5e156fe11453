import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AsideOptions, Computer, DiskTree } from '../../../src/contract/index.ts'
import { asRoot, type Bench, bench, failure, finish, processes, sh, until } from './support.ts'

describe('the disk of a local computer, from outside', () => {
  let local: Bench
  let computer: Computer
  let dir: string
  let project: string
  let other: string
  before(async () => {
    local = await bench()
    dir = await realpath(await mkdtemp(join(tmpdir(), 'amux-trees-')))
    project = join(dir, 'project')
    other = join(dir, 'other')
    for (const path of [join(project, '.amux'), join(project, 'inner'), other]) await mkdir(path, { recursive: true })
    await writeFile(join(project, 'file'), 'of the project')
    computer = await local.create({ project: { path: project, name: 'p', worktrees: [other, join(project, 'inner'), join(dir, 'gone')] } })
    await sh(computer, 'echo mine > ~/note; echo t > /var/tmp/t')
  })
  after(async () => {
    await local.end()
    await rm(dir, { recursive: true, force: true })
  })

  const start = async (script: string, options: AsideOptions) => {
    const program = await computer.aside?.(['sh', '-c', script], options)
    if (!program) throw new Error('no aside')
    return program
  }
  const aside = async (script: string, options: AsideOptions) => finish(await start(script, options))
  const trees = async () => new Map((await computer.disk?.())?.map((tree) => [tree.name, tree]))
  /** Where a file of the home directory is. */
  const inHome = async (name: string) => {
    const home = (await computer.info()).user?.home ?? ''
    const found = await trees()
    return asRoot ? `${found.get('system')?.path}${home}/${name}` : `${found.get('home')?.path}/${name}`
  }

  it('is made of trees that have names, each a directory that a program aside finds', async () => {
    const found = await trees()
    const names = [...found.keys()]
    const worktree = found.get(names.find((name) => /^worktree-[0-9a-f]{8}$/.test(name)) ?? '')
    expect(names.filter((name) => !/^(worktree|system)-/.test(name))).to.have.members(asRoot ? ['system', 'workspace'] : ['home', 'tmp', 'var-tmp', 'workspace'])
    expect(names.filter((name) => name.startsWith('worktree-'))).to.have.length(1)
    expect(found.get('workspace')).to.deep.include({ at: project, shared: true, except: ['.amux'] })
    expect(worktree).to.deep.include({ at: other, shared: true })
    const all = [...found.values()].flatMap((tree: DiskTree) => [tree.path, ...(tree.base ? [tree.base] : [])])
    expect((await aside(`for path in ${all.join(' ')}; do test -d $path || echo $path; done; ls ${found.get('workspace')?.path}`, { disk: 'read' })).stdout).to.equal('file\ninner\n')
  })

  it('is read-only to who reads it, while the computer runs and while it does not', async () => {
    const note = await inHome('note')
    for (const running of [true, false]) {
      if (!running) await computer.stop()
      const { stdout } = await aside(`cat ${note} /workspace/workspace/file; touch ${note} 2>&1; touch /workspace/workspace/x 2>&1; ls /processes/1/maps 2>&1`, { disk: 'read' })
      expect(stdout).to.match(/^mine\nof the project/)
      expect(stdout.match(/Read-only/g)).to.have.length(2)
      expect(/^\/processes/m.test(stdout)).to.equal(running)
    }
    await computer.start()
  })

  it('shows which processes have a file of it mapped', async () => {
    const program = await computer.spawn(['sh', '-c', 'sleep 1000 & cat'])
    expect((await aside('cat /processes/*/cmdline | tr "\\0" " "; grep -l sleep /processes/*/maps', { disk: 'read' })).stdout).to.match(/sleep 1000[^]*\/processes\/\d+\/maps/)
    await program.stdin.end()
  })

  it('is not changed while the computer runs, nor does it start while it is', async () => {
    expect((await failure(start('true', { disk: 'write' }))).code).to.equal('conflict')
    await computer.stop()
    const note = await inHome('note')
    const program = await start(`echo new > ${note}; echo new > /workspace/workspace/file; cat`, { disk: 'write' })
    expect((await failure(start('true', { disk: 'write' }))).code).to.equal('conflict')
    expect((await aside('true', { disk: 'read' })).exit).to.deep.equal({ code: 0 })
    const starting = computer.start()
    await program.stdin.end()
    await finish(program)
    await starting
    expect(await sh(computer, `cat ~/note ${project}/file`)).to.equal('new\nnew')
  })

  it('is changed only once what a killed keeper left has died', async () => {
    const note = await inHome('note')
    const writer = await computer.spawn(['sh', '-c', 'while :; do echo more >> ~/note; done'])
    process.kill(processes(local, computer).keeper, 'SIGKILL')
    await until('it is seen to have stopped', async () => (await computer.info()).state === 'stopped')
    const { stdout } = await aside(`stat -c %y-%s ${note}; sleep 0.1; stat -c %y-%s ${note}`, { disk: 'write' })
    const [before, later] = stdout.split('\n')
    expect(before).to.equal(later).and.match(/-[1-9]/)
    await writer.exit.catch(() => undefined)
    await computer.start()
  })

  it('can be restored whatever its modes and owners are, and is whole at once', async () => {
    await sh(computer, 'mkdir -p ~/locked/in && echo s > ~/locked/in/secret && chmod 0 ~/locked/in/secret ~/locked/in ~/locked')
    await computer.stop()
    const locked = await inHome('locked')
    const script = [`cat ${locked}/in/secret`, `echo again > ${locked}/in/.new`, `chmod 0 ${locked}/in/.new`, `mv ${locked}/in/.new ${locked}/in/secret`, `ls /bin/sh > /dev/null`]
    if (asRoot) script.push(`chown 7:8 ${locked}/in/secret && setfattr -n trusted.overlay.opaque -v y ${locked}`, `chattr +i ${locked}/in/secret`, `rm /disk/upper/etc/hostname && mknod /disk/upper/etc/hostname c 0 0`)
    const { stdout, stderr, exit } = await aside(`set -e; ${script.join('; ')}`, { disk: 'write' })
    expect(exit, stderr).to.deep.equal({ code: 0 })
    expect(stdout).to.equal('s\n')
    await computer.start()
    expect(await sh(computer, `chmod 700 ~/locked ~/locked/in; ${asRoot ? '' : 'chmod 600 ~/locked/in/secret;'} cat ~/locked/in/secret; ls ~/locked`, asRoot ? { user: 'root' } : {})).to.equal('again\nin')
    if (asRoot) expect(await sh(computer, 'test -e /etc/hostname || echo gone')).to.equal('gone')
  })

  it('does not include amux\'s own directories, also where a project contains them', async () => {
    const data = join(project, 'data')
    await mkdir(join(data, 'computers'), { recursive: true, mode: 0o700 })
    const inner = await bench(data)
    const nested = await inner.create({ project: { path: project, name: 'p' } })
    try {
      const program = await nested.aside?.(['sh', '-c', 'ls -A /workspace/workspace/data; ls /workspace/workspace'], { disk: 'read' })
      expect(program && (await finish(program)).stdout).to.match(/^data\nfile\n/)
    } finally {
      await inner.end()
      execFileSync('rm', ['-rf', data])
    }
  })

  if (asRoot) {
    it('works on while the computer has no programs any more', async () => {
      await computer.stop()
      await aside('rm -rf /disk/upper/usr; mknod /disk/upper/usr c 0 0; rm -f /disk/upper/bin; mknod /disk/upper/bin c 0 0', { disk: 'write' })
      expect((await failure(computer.start())).code).to.equal('unavailable')
      expect((await aside('rm /disk/upper/usr /disk/upper/bin && ls /base/system/usr', { disk: 'write' })).stdout).to.include('bin\n')
      await computer.start()
      expect(await sh(computer, 'echo works')).to.equal('works')
    })
  }
})
