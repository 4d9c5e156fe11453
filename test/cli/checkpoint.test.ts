import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { CheckpointInfo, RestoreResult, SessionInfo } from '../../src/contract/index.ts'
import { bin, type ErrorDocument, Scratch } from '../support/amux.ts'
import { computers, disposeAll } from '../support/computers.ts'

describe('amux computer checkpoint', () => {
  let amux: Scratch
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: amux.project, stdio: 'pipe' }).toString().trim()
  const here = (name: string) => join(amux.project, name)
  before(async () => {
    amux = await Scratch.make()
    git('init', '-q')
    writeFileSync(here('code'), 'one\n')
    git('add', '.')
    git('commit', '-qm', 'one')
    const { status, stderr } = await amux.run(['computer', 'create', '-P', 'local'])
    expect(status, stderr).to.equal(0)
  })
  after(() => disposeAll(amux))

  const checkpoint = (...args: string[]) => amux.run(['computer', 'checkpoint', ...args])
  const list = async () => (await amux.json<readonly CheckpointInfo[]>(['computer', 'checkpoint', 'ls'])).document
  const create = async (...args: string[]) => {
    const { status, stdout, stderr } = await checkpoint('create', ...args)
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }
  const on = async (script: string) => {
    const { status, stdout, stderr } = await amux.run(['computer', 'exec', '--', 'sh', '-c', script])
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }
  const failure = async (...args: string[]) => {
    const { status, document } = await amux.json<ErrorDocument>(['computer', ...args])
    return { status, ...document.error }
  }

  it('says that there are none, and how to make one', async () => {
    const { status, stdout, stderr } = await checkpoint('ls')
    expect([status, stdout]).to.deep.equal([0, ''])
    expect(stderr).to.contain('amux computer checkpoint create')
    expect(await failure('undo')).to.include({ status: 3, code: 'not_found' })
    expect(await failure('checkpoint', 'diff')).to.include({ status: 3, code: 'not_found' })
  })

  it('goes back to it: the disk, the project and its git state', async () => {
    await on('echo home > ~/file')
    const id = await create('-m', 'a good\nmoment')
    expect(id).to.equal('v1')
    await on('echo changed > ~/file; echo two > code; git -c user.name=t -c user.email=t@t commit -qam two; echo three > new')
    const refused = await checkpoint('restore', id)
    expect([refused.status, refused.stdout]).to.deep.equal([5, ''])
    expect(refused.stderr).to.match(/\d+ files of this project on this machine changed since v1/)
    expect(readFileSync(here('code'), 'utf8')).to.equal('two\n')
    const { status, document } = await amux.json<RestoreResult>(['computer', 'checkpoint', 'restore', id, '--yes'])
    expect(status).to.equal(0)
    expect(document).to.include({ restored: 'v1' })
    expect(await on('cat ~/file code; ls new 2>/dev/null || true')).to.equal('home\none')
    expect([git('log', '--format=%s'), git('status', '--porcelain'), existsSync(here('new'))]).to.deep.equal(['one', '', false])
    expect(existsSync(here('.amux/computer.json')), 'what is amux\'s own was touched').to.equal(true)
    const undone = await amux.run(['computer', 'undo', '--yes'])
    expect(undone.status, undone.stderr).to.equal(0)
    expect(undone.stderr).to.contain(`Going back to ${document.safety}`)
    expect(await on('cat ~/file code new')).to.equal('changed\ntwo\nthree')
    expect(git('log', '--format=%s')).to.equal('two\none')
  })

  it('leaves the project alone when asked to, or with nothing changed asks nothing', async () => {
    const id = await create()
    await on('echo again > ~/file')
    writeFileSync(here('code'), 'mine\n')
    const kept = await checkpoint('restore', id, '--keep-workspace')
    expect(kept.status, kept.stderr).to.equal(0)
    expect([await on('cat ~/file'), readFileSync(here('code'), 'utf8')]).to.deep.equal(['changed', 'mine\n'])
    const next = await create()
    await on('echo more > ~/file')
    const quiet = await checkpoint('restore', next)
    expect(quiet.status, quiet.stderr).to.equal(0)
    expect(quiet.stdout).to.match(/is restored to v\d+: \d+ entr(y|ies) changed\nWhat was before is auto-\d+/)
  })

  it('lists them newest first, with what each costs', async () => {
    const points = await list()
    expect(points.map(({ createdAt }) => createdAt)).to.deep.equal(points.map(({ createdAt }) => createdAt).toSorted().toReversed())
    expect(points.find(({ id }) => id === 'v1')).to.include({ kind: 'manual', message: 'a good\nmoment' })
    for (const { size, cost, entries } of points) expect([(size ?? 0) > 0, (cost ?? -1) >= 0, (entries ?? 0) > 0]).to.deep.equal([true, true, true])
    const { stdout } = await checkpoint('ls')
    expect(stdout.split('\n')[0]).to.match(/^ID +CREATED +KIND +SIZE +COST +MESSAGE$/)
    expect(stdout).to.match(/^v1 .* a good moment$/m)
    expect((await checkpoint('ls', '-q')).stdout.trim().split('\n')).to.deep.equal(points.map(({ id }) => id))
    const { stdout: info } = await checkpoint('info', 'v1')
    expect(info).to.match(/^id +v1$/m).and.match(/^size +[\d.]+ (bytes|KB|MB|GB)$/m)
  })

  it('shows what changed, and files as they were', async () => {
    await on('echo more > ~/file; ln -s file ~/link')
    const id = await create()
    await on('rm ~/file; mkdir ~/made; echo x > ~/made/x; chmod 600 code')
    const { stdout } = await checkpoint('diff', id)
    const home = await on('echo ~')
    expect(stdout.split('\n')).to.include(`- ${home}/file`).and.include(`+ ${home}/made/`).and.include(`+ ${home}/made/x`)
    expect(stdout).to.match(new RegExp(`^~ ${here('code')} +mode$`, 'm'))
    const lines = (await checkpoint('diff', id, '--json')).stdout.trim().split('\n').map((line) => JSON.parse(line) as { path: string; change: string })
    expect(lines.find(({ path }) => path === `${home}/made/x`)?.change).to.equal('added')
    expect((await checkpoint('cat', `${id}:~/file`)).stdout).to.equal('more\n')
    expect((await checkpoint('cat', `${id}:code`)).stdout).to.equal(readFileSync(here('code'), 'utf8'))
    expect(await failure('checkpoint', 'cat', `${id}:~/none`)).to.include({ status: 3, code: 'not_found' })
    expect(await failure('checkpoint', 'cat', `${id}:~`)).to.include({ status: 2 })
    expect((await failure('checkpoint', 'cat', `${id}:~/link`)).message).to.contain(`is a link in ${id}`)
    expect(await failure('checkpoint', 'cat', id)).to.include({ status: 2 })
  })

  it('puts back some paths only', async () => {
    const id = await create()
    await on('echo a > ~/a; echo b > ~/b; echo lost > ~/made/x')
    const { status, stderr } = await checkpoint('restore', id, '--paths', '~/made', '--paths', '~/a', '--keep-workspace')
    expect(status, stderr).to.equal(0)
    expect(await on('cat ~/made/x ~/b; ls ~/a 2>/dev/null || true')).to.equal('x\nb')
  })

  it('asks about files of the project only where the paths reach them', async () => {
    const id = await create()
    await on('echo other > code; echo a > ~/a')
    expect(await failure('checkpoint', 'restore', id, '--paths', '.')).to.include({ status: 5 })
    const { status, stderr } = await checkpoint('restore', id, '--paths', '~')
    expect(status, stderr).to.equal(0)
    expect(readFileSync(here('code'), 'utf8')).to.equal('other\n')
    expect((await checkpoint('restore', id, '--yes')).status).to.equal(0)
  })

  it('ends nothing for the sake of a path that never was', async () => {
    const session = (await amux.run(['computer', 'exec', '-d', '--', 'sleep', '1000'])).stdout.trim()
    const before = await list()
    expect(await failure('checkpoint', 'restore', 'v1', '--paths', '/never/was', '--keep-workspace')).to.include({ status: 3, code: 'not_found' })
    expect(await failure('checkpoint', 'restore', 'v1', '--paths', '', '--keep-workspace')).to.include({ status: 2 })
    expect((await amux.json<readonly SessionInfo[]>(['computer', 'session', 'ls'])).document.find((one) => one.id === session)?.state.status).to.equal('running')
    expect(await list(), 'the draft of the safety point stays').to.deep.equal(before)
    await amux.run(['computer', 'session', 'kill', session])
  })

  it('at Ctrl-C on a terminal leaves a restore undone or does all of it, and the computer running', async () => {
    const id = await create()
    for (const moment of ['Keeping', 'Stopping', 'Restoring']) {
      await on('echo later > ~/moment')
      const before = await list()
      const child = spawn(process.execPath, [bin, 'computer', 'checkpoint', 'restore', id, '--keep-workspace'], { cwd: amux.project, env: amux.env(), stdio: ['ignore', 'ignore', 'pipe'], detached: true })
      let stderr = ''
      let sent = false
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString()
        if (sent || !stderr.includes(moment)) return
        sent = true
        // As a terminal does it: to the whole process group.
        process.kill(-(child.pid ?? 0), 'SIGINT')
      })
      const status = await new Promise((resolve) => child.on('close', resolve))
      expect(status, stderr).to.be.oneOf([0, 130])
      expect((await amux.json<{ state: string }>(['computer', 'info'])).document.state, stderr).to.equal('running')
      expect(await on('cat ~/moment 2>/dev/null || true'), stderr).to.equal(status === 0 ? '' : 'later')
      if (status === 130) expect(await list(), 'a draft stays').to.deep.equal(before)
    }
  })

  it('is restored when two want to at once', async () => {
    const id = await create()
    await on('echo twice > ~/twice')
    const both = await Promise.all([checkpoint('restore', id, '--keep-workspace'), checkpoint('restore', id, '--keep-workspace')])
    // They stop each other's computer; what is on its disk is whole all the same, and nobody is told that it is not.
    for (const { stderr } of both) expect(stderr).not.to.contain('half way')
    expect(await on('cat ~/twice 2>/dev/null || true')).to.equal('')
  })

  it('ends sessions, which say so', async () => {
    const id = await create()
    await on('echo later > ~/later')
    const session = (await amux.run(['computer', 'exec', '-d', '--', 'sleep', '1000'])).stdout.trim()
    await checkpoint('restore', id)
    const { document } = await amux.json<readonly SessionInfo[]>(['computer', 'session', 'ls'])
    expect(document.find((one) => one.id === session)?.state).to.include({ status: 'ended', reason: 'restored' })
    expect((await amux.run(['computer', 'session', 'ls'])).stdout).to.match(new RegExp(`${session}.*restored`))
  })

  it('exports and imports one, and refuses what is not whole', async () => {
    const file = join(amux.path, 'point.tar')
    const { name } = (await amux.json<{ name: string }>(['computer', 'info'])).document
    const { status, stderr } = await checkpoint('export', 'v1', '-o', file)
    expect(status, stderr).to.equal(0)
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(execFileSync('tar', ['tf', file], { maxBuffer: 1 << 28 }).toString()).to.match(/^amux-checkpoint\.json\n/)
    const imported = await amux.json<CheckpointInfo>(['computer', 'checkpoint', 'import', file])
    expect(imported.status).to.equal(0)
    expect((await list())[0]).to.include({ id: imported.document.id, message: `from v1 of ${name} on local: a good\nmoment` })
    const before = (await list()).length
    truncateSync(file, 100_000)
    expect(await failure('checkpoint', 'import', file)).to.include({ status: 1, code: 'corrupt' })
    expect(await failure('checkpoint', 'import', join(amux.path, 'none.tar'))).to.include({ status: 3 })
    expect(await failure('checkpoint', 'export', 'v999', '-o', file)).to.include({ status: 3, code: 'not_found' })
    expect(statSync(file).size, 'a failed export touched the file').to.equal(100_000)
    expect((await list()).length).to.equal(before)
  })

  it('exports into a pipe without putting a file in its place, and names a file where a directory is', async () => {
    const pipe = join(amux.path, 'point.pipe')
    execFileSync('mkfifo', [pipe])
    const [exported, read] = await Promise.all([checkpoint('export', 'v1', '-o', pipe), promisify(execFile)('sh', ['-c', `tar tf ${pipe} | sed -n 1p`])])
    expect(exported.status, exported.stderr).to.equal(0)
    expect(read.stdout).to.equal('amux-checkpoint.json\n')
    expect(statSync(pipe).isFIFO()).to.equal(true)
    expect(await failure('checkpoint', 'export', 'v1', '-o', amux.path)).to.include({ status: 2, code: 'invalid_argument' })
    expect(await failure('checkpoint', 'export', 'v1', '-o', '/nowhere/x.tar')).to.include({ status: 3, message: 'there is no directory /nowhere' })
  })

  it('takes whole numbers of steps back', async () => {
    expect(await failure('undo', 'x')).to.include({ status: 2, code: 'invalid_argument' })
    expect(await failure('undo', '0')).to.include({ status: 2, code: 'invalid_argument' })
    expect(await failure('undo', '99')).to.include({ status: 3, code: 'not_found' })
  })

  it('removes them only when told so in earnest', async () => {
    const ids = [await create(), await create()]
    expect((await checkpoint('rm', ...ids)).status).to.equal(5)
    expect((await checkpoint('rm', ids[0] ?? '', 'v999', '--yes')).status).to.equal(3)
    const { status, stdout } = await checkpoint('rm', ...ids, '--yes')
    expect([status, stdout]).to.deep.equal([0, `${ids.join('\n')}\n`])
    expect((await list()).filter(({ id }) => ids.includes(id))).to.deep.equal([])
    expect(await failure('checkpoint', 'restore', ids[0] ?? '', '--yes')).to.include({ status: 3, code: 'not_found' })
    expect(await failure('checkpoint', 'restore', '../../etc', '--yes')).to.include({ status: 2, code: 'invalid_argument' })
    expect(await failure('checkpoint', 'restore', 'v1', '--paths', '/a/../..', '--yes')).to.have.property('status', 0)
  })

  it('makes one before each run, once that is asked for', async () => {
    expect((await checkpoint('auto')).stdout).to.equal('off\n')
    expect((await checkpoint('auto', 'before-run')).status).to.equal(0)
    const ran = await amux.run(['computer', 'run', 'sh', '--', '-c', 'echo ran; echo by run > ~/run'])
    expect([ran.status, ran.stdout]).to.deep.equal([0, 'ran\n'])
    expect(ran.stderr).to.match(/checkpoint auto-\d+; to go back to it: amux computer undo/)
    expect((await list())[0]).to.include({ kind: 'automatic', message: 'before sh -c echo ran; echo by run > ~/run' })
    expect((await amux.run(['computer', 'undo', '--yes'])).status).to.equal(0)
    expect(await on('ls ~/run 2>/dev/null || echo gone')).to.equal('gone')
    expect((await checkpoint('auto', 'off')).status).to.equal(0)
    expect((await amux.run(['computer', 'run', 'true'])).stderr).to.equal('')
    const once = await amux.run(['computer', 'run', 'true', '--auto', 'before-run'])
    expect(once.stderr).to.match(/checkpoint auto-/)
    expect((await amux.run(['computer', 'run', 'true', '--auto', 'sometimes'])).status).to.equal(125)
  })

  it('restores a computer that cannot start any more', async function () {
    if (process.getuid?.() !== 0) return void (await on('true'))
    const id = await create()
    // Without its loader nothing runs there any more, the guest included.
    await on('rm -rf /usr/lib64/ld-* /usr/lib/*/ld-linux* /bin /lib64')
    await amux.run(['computer', 'stop'])
    const broken = await amux.run(['computer', 'exec', '--', 'ls'])
    expect([broken.status, broken.stderr]).to.deep.equal([125, broken.stderr])
    const { status, stderr } = await checkpoint('restore', id, '--yes')
    expect(status, stderr).to.equal(0)
    expect(await on('ls /bin/env')).to.equal('/bin/env')
  }).timeout(60_000)

  it('covers the other worktrees of the project, and nothing else beside them', async () => {
    const beside = join(amux.path, 'beside')
    git('worktree', 'add', '-q', '-b', 'side', beside)
    mkdirSync(join(amux.path, 'other'))
    writeFileSync(join(amux.path, 'other', 'file'), 'before')
    await amux.run(['computer', 'restart'])
    const id = await create()
    writeFileSync(join(beside, 'code'), 'spoiled\n')
    writeFileSync(join(amux.path, 'other', 'file'), 'after')
    const { status, stderr } = await checkpoint('restore', id, '--yes')
    expect(status, stderr).to.equal(0)
    expect(readFileSync(join(beside, 'code'), 'utf8')).not.to.equal('spoiled\n')
    expect(readFileSync(join(amux.path, 'other', 'file'), 'utf8')).to.equal('after')
    git('worktree', 'remove', '--force', beside)
    rmSync(join(amux.path, 'other'), { recursive: true })
  })

  it('goes with the computer, and only with it', async () => {
    const [one] = await computers(amux)
    expect((await list()).length).to.be.above(0)
    expect((await amux.run(['computer', 'stop'])).status).to.equal(0)
    expect((await list()).length).to.be.above(0)
    expect(one?.provider).to.equal('local')
  })
})
