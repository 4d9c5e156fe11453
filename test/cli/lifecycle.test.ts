import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { computers, disposeAll } from '../support/computers.ts'

interface Document {
  readonly name: string
  readonly state: string
  readonly provider: string
  readonly workspace: string
  readonly current: boolean
  readonly created: boolean
}

describe("a project's computer", () => {
  let amux: Scratch

  beforeEach(async () => {
    amux = await Scratch.make()
  })
  afterEach(() => disposeAll(amux))

  const create = async (...flags: string[]) => (await amux.run(['computer', 'create', '-P', 'local', ...flags])).stdout.trim()
  const record = () => join(amux.project, '.amux/computer.json')

  it('needs a provider that somebody chose', async () => {
    const { status, stdout, stderr } = await amux.run(['computer', 'create'])
    expect({ status, stdout }).to.deep.equal({ status: 4, stdout: '' })
    expect(stderr).to.contain('no provider is chosen').and.contain('Installed: local').and.contain('amux computer create -P local')
    expect(existsSync(record())).to.equal(false)
    const shortcut = await amux.run(['claude', '--', '--version'])
    expect(shortcut.status).to.equal(125)
    expect(shortcut.stderr).to.contain('amux computer create -P local')
  })

  it('is made once, printed, and chosen from then on', async () => {
    const name = await create()
    expect(name).to.match(/^amux-project-[a-z0-9]{6}$/u)
    const again = await amux.run(['computer', 'create'])
    expect({ status: again.status, name: again.stdout.trim() }).to.deep.equal({ status: 0, name })
    expect(await amux.json<Document>(['computer', 'info'])).to.deep.include({ status: 0 })
    expect((await amux.json<Document>(['computer', 'info'])).document).to.include({ name, provider: 'local', state: 'running', current: true, workspace: amux.project })
  })

  it('can be chosen by AMUX_PROVIDER, and by -P before that', async () => {
    const byVariable = await amux.run(['computer', 'create'], { env: { AMUX_PROVIDER: 'local' } })
    expect(byVariable.status).to.equal(0)
    const byFlag = await amux.json<ErrorDocument>(['computer', 'create', '-P', 'nowhere'], { env: { AMUX_PROVIDER: 'local' } })
    expect(byFlag.status).to.equal(4)
    expect(byFlag.document.error.code).to.equal('provider_missing')
  })

  it('is one, however many ask for it at once', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => amux.run(['computer', 'create', '-P', 'local'])))
    expect(all.map(({ status }) => status)).to.deep.equal(all.map(() => 0))
    expect(new Set(all.map(({ stdout }) => stdout)).size).to.equal(1)
    expect(await computers(amux)).to.have.length(1)
  })

  it('that was not finished is finished with what it was begun with, and with nothing else', async () => {
    const name = await create('-e', 'A=1')
    const { providers, ...rest } = JSON.parse(readFileSync(record(), 'utf8')) as { providers: { local: { computers: Record<string, object> } } }
    // As one leaves it that was killed before it knew.
    writeFileSync(record(), JSON.stringify({ ...rest, providers: { local: { computers: {}, pending: { name, ...providers.local.computers[name] } } } }))
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'create', '-P', 'local', '-e', 'A=2'])
    expect({ status, code: document.error.code }).to.deep.equal({ status: 6, code: 'conflict' })
    expect(document.error.message).to.contain('was begun with another environment')
    expect(await create()).to.equal(name)
    expect((await amux.run(['computer', 'create', '-e', 'A=1'])).status).to.equal(0)
    expect((await amux.run(['computer', 'create', '-e', 'A=2'])).status).to.equal(6)
  })

  it('is not made beside the one that has its name', async () => {
    const name = await create('--name', 'mine')
    for (const flags of [[], ['-o', 'root=/nowhere']]) {
      const { status, document } = await amux.json<ErrorDocument>(['computer', 'create', '--new', '--name', name, '-P', 'local', ...flags])
      expect({ status, code: document.error.code }, flags.join(' ')).to.deep.equal({ status: 6, code: 'already_exists' })
    }
    expect(await create()).to.equal(name)
  })

  it('is not made again with other options', async () => {
    await create('-e', 'A=1', '-l', 'team=web')
    expect((await amux.run(['computer', 'create', '-e', 'A=1'])).status).to.equal(0)
    for (const differing of [['-e', 'A=2'], ['-l', 'team=app'], ['--name', 'other']]) {
      const { status, document } = await amux.json<ErrorDocument>(['computer', 'create', ...differing])
      expect({ status, code: document.error.code }, differing.join(' ')).to.deep.equal({ status: 6, code: 'conflict' })
    }
    expect(readFileSync(record(), 'utf8')).to.not.contain('A=1')
  })

  it('takes the name it is given', async () => {
    expect(await create('--name', 'my-box')).to.equal('my-box')
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'create', '--new', '--name', 'Not A Name'])
    expect({ status, code: document.error.code }).to.deep.equal({ status: 2, code: 'invalid_argument' })
  })

  it('refuses options its provider does not declare, by name', async () => {
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'create', '-P', 'local', '-o', 'gpus=4'])
    expect({ status, code: document.error.code }).to.deep.equal({ status: 4, code: 'unsupported' })
    expect(document.error.message).to.contain('gpus')
    expect(await computers(amux)).to.have.length(0)
  })

  it('stops, starts and restarts', async () => {
    const name = await create()
    for (const [verb, state] of [['stop', 'stopped'], ['stop', 'stopped'], ['start', 'running'], ['restart', 'running']] as const) {
      const { status, document } = await amux.json<Document>(['computer', verb])
      expect({ status, name: document.name, state: document.state }, verb).to.deep.equal({ status: 0, name, state })
    }
    expect((await amux.run(['computer', 'wait', '--timeout', '5s'])).stdout).to.equal(`${name} is running\n`)
    expect((await amux.run(['computer', 'wait', '--for', 'stopped', '--timeout', '300ms'])).status).to.equal(124)
  })

  it('is deleted only by rm, and only when that is confirmed', async () => {
    const name = await create()
    writeFileSync(join(amux.project, 'mine.txt'), 'kept')
    const refused = await amux.json<ErrorDocument>(['computer', 'rm'])
    expect({ status: refused.status, code: refused.document.error.code }).to.deep.equal({ status: 5, code: 'confirmation_required' })
    expect(await computers(amux)).to.have.length(1)
    const { status, document } = await amux.json(['computer', 'delete', name, '--yes'])
    expect({ status, document }).to.deep.equal({ status: 0, document: { name, provider: 'local', deleted: true } })
    expect(readFileSync(join(amux.project, 'mine.txt'), 'utf8')).to.equal('kept')
    expect(await computers(amux)).to.have.length(0)
    expect((await amux.run(['computer', 'info'])).status).to.equal(3)
  })

  it('stands in git status nowhere', async () => {
    execFileSync('git', ['-C', amux.project, 'init', '--quiet'])
    await create()
    expect(execFileSync('git', ['-C', amux.project, 'status', '--porcelain'], { encoding: 'utf8' })).to.equal('')
  })

  it('is the same from a sub-directory and from another worktree', async () => {
    const git = (...args: string[]) => execFileSync('git', ['-C', amux.project, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { stdio: 'pipe' })
    git('init', '--quiet')
    git('commit', '--allow-empty', '-m', 'first')
    git('worktree', 'add', '../feature')
    mkdirSync(join(amux.project, 'sub'))
    const name = await create()
    for (const cwd of [join(amux.project, 'sub'), join(amux.path, 'feature')]) {
      expect((await amux.json<Document>(['computer', 'info'], { cwd })).document.name).to.equal(name)
    }
  })

  it('can have others beside it, and use one of them', async () => {
    const first = await create()
    const second = await create('--new')
    expect(second).to.not.equal(first)
    expect((await amux.json<Document>(['computer', 'info'])).document.name).to.equal(second)
    expect((await amux.run(['computer', 'use', first])).stdout).to.equal(`${first} on local is this project's computer\n`)
    expect((await amux.json<Document>(['computer', 'info'])).document.name).to.equal(first)
    const rows = await computers(amux)
    expect(rows.map(({ name }) => name)).to.have.members([first, second])
  })

  it('that is gone is an error with a way on, and is never made again unasked', async () => {
    const name = await create()
    const gone = new RegExp(`${name}.*no longer`, 'u')
    // Behind this project's back, from another directory.
    expect((await amux.run(['computer', 'rm', name, '-P', 'local', '--yes'], { cwd: amux.path })).status).to.equal(0)
    for (const [args, status] of [[['computer', 'info'], 3], [['computer', 'exec', '--', 'true'], 125], [['claude'], 125]] as const) {
      const ran = await amux.run(args)
      expect(ran.status, args.join(' ')).to.equal(status)
      expect(ran.stderr).to.match(gone).and.contain('amux computer create')
    }
    expect((await computers(amux)).map(({ state }) => state)).to.deep.equal(['gone'])
    const another = await amux.run(['computer', 'create'])
    expect(another.status).to.equal(0)
    expect(another.stderr).to.match(gone)
    const forgotten = await amux.json(['computer', 'rm', name])
    expect(forgotten).to.deep.equal({ status: 0, document: { name, provider: 'local', deleted: false } })
  })
})
