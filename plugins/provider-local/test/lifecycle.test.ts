import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Computer } from '../../../src/contract/index.ts'
import { attempt, type Bench, bench, failure, sh, tier } from './support.ts'

describe('local computers', () => {
  let local: Bench
  let project: string
  before(async () => {
    local = await bench()
    project = join(await mkdtemp(join(tmpdir(), 'amux project, with: odd %')), 'here it is')
    await mkdir(project)
    await writeFile(join(project, 'readme'), 'from outside')
  })
  after(async () => {
    await local.end()
    await rm(join(project, '..'), { recursive: true, force: true })
  })

  const entries = () => readdir(join(local.dataDir, 'computers'))

  it('tell what this machine can do', async () => {
    const health = await local.provider.health()
    expect(health.ok, health.message).to.equal(true)
    expect(health.details).to.include({ tier }).and.to.have.all.keys('tier', 'network', 'network policy')
  })

  it('run with their guest as soon as create returns, and are listed', async () => {
    const computer = await local.create({ labels: { made: 'here' } })
    const info = await computer.info()
    expect(info).to.include({ name: computer.name, state: 'running' })
    expect(info.labels).to.deep.equal({ made: 'here' })
    expect(info.details?.['tier']).to.equal(tier)
    await answers(computer)
    const names: string[] = []
    for await (const each of local.provider.list()) names.push(each.name)
    expect(names).to.include(computer.name)
    await computer.delete()
    expect(await entries()).not.to.include(computer.name)
  })

  it('see their project at its own path, both ways', async () => {
    const computer = await local.create({ project: { path: project, name: 'p' } })
    expect((await computer.info()).workspace).to.equal(project)
    expect(await sh(computer, 'pwd; cat readme')).to.equal(`${project}\nfrom outside`)
    await sh(computer, 'echo from inside > written; mkdir sub')
    expect(await readFile(join(project, 'written'), 'utf8')).to.equal('from inside\n')
    const uid = process.getuid?.()
    expect((await stat(join(project, 'written'))).uid).to.equal(uid)
    expect(Number(await sh(computer, 'id -u'))).to.equal(uid)
    await computer.delete()
    expect(await readdir(project)).to.have.members(['readme', 'written', 'sub'])
  })

  it('see the project’s other worktrees too, also those that come while they run', async () => {
    const tree = (name: string) => join(project, '..', name)
    for (const name of ['one', 'gone', 'two']) await mkdir(tree(name))
    await writeFile(join(tree('two'), 'file'), 'two')
    const told = (...names: string[]) => ({ path: project, name: 'p', worktrees: names.map(tree) })
    const computer = await local.create({ project: told('one', 'gone') })
    expect((await computer.info()).worktrees).to.deep.equal([tree('one'), tree('gone')])
    await sh(computer, `echo inside > '${tree('one')}/written'`)
    expect(await readFile(join(tree('one'), 'written'), 'utf8')).to.equal('inside\n')
    await computer.start({ project: told('one', 'two') })
    expect((await computer.info()).worktrees).to.deep.equal([tree('one'), tree('two')])
    expect(await sh(computer, `cat '${tree('two')}/file'; findmnt -no OPTIONS -T '${tree('two')}' | tr , '\\n' | grep -cx -e nosuid -e nodev`)).to.equal('two2')
    await rm(tree('two'), { recursive: true })
    await mkdir(tree('two'))
    await writeFile(join(tree('two'), 'file'), 'another two')
    expect((await computer.info()).worktrees).to.deep.equal([tree('one')])
    await computer.start({ project: told('one', 'two') })
    expect(await sh(computer, `cat '${tree('two')}/file'`)).to.equal('another two')
    await computer.stop()
    await rm(tree('one'), { recursive: true })
    await computer.start({ project: told('two') })
    expect((await computer.info()).worktrees).to.deep.equal([tree('two')])
    await computer.delete()
  })

  it('go where the project went', async () => {
    const first = join(project, '../first')
    const second = join(project, '../second')
    await mkdir(first)
    const computer = await local.create({ project: { path: first, name: 'p' } })
    await computer.stop()
    await rename(first, second)
    expect(await failure(computer.start())).to.include({ code: 'failed' }).and.have.property('message').that.includes(first)
    await computer.start({ project: { path: second, name: 'p' } })
    expect(await sh(computer, 'pwd')).to.equal(second)
    expect((await failure(computer.start({ project: { path: project, name: 'p' } }))).code).to.equal('conflict')
    await computer.stop()
    await computer.start()
    expect((await computer.info()).workspace).to.equal(second)
    await computer.delete()
  })

  it('keep their disk and environment over stop and start, and lose their programs', async () => {
    const computer = await local.create({ env: { SECRET: 'line\ntwo\t%' } })
    await sh(computer, 'echo mine > ~/file; echo tmp > /tmp/file; echo vartmp > /var/tmp/file')
    const sleeper = await computer.spawn(['sleep', '98765'])
    await computer.stop()
    expect(await sleeper.exit).to.deep.equal({ signal: 'SIGKILL' })
    expect((await computer.info()).state).to.equal('stopped')
    expect((await failure(computer.spawn(['true']))).code).to.equal('not_running')
    expect((await failure(computer.channel?.() ?? Promise.resolve())).code).to.equal('not_running')
    await computer.stop()
    await computer.start()
    await computer.start()
    expect(await sh(computer, 'cat ~/file /tmp/file /var/tmp/file; printf %s "$SECRET"')).to.equal('mine\ntmp\nvartmp\nline\ntwo\t%')
    expect(await sh(computer, 'ps ax | grep -c "[s]leep 98765" || true')).to.equal('0')
    expect(await readFile(join(local.dataDir, 'computers', computer.name, 'meta.json'), 'utf8')).not.to.include('SECRET')
    await computer.delete()
  })

  it('refuse what they cannot have, and leave nothing behind', async () => {
    const before = await entries()
    const wrong = async (options: Parameters<Bench['create']>[0]) => (await failure(local.create(options))).code
    expect(await wrong({ template: 'debian' })).to.equal('unsupported')
    expect(await wrong({ options: { image: 'x' } })).to.equal('invalid_argument')
    expect(await wrong({ options: { root: 'relative' } })).to.equal('invalid_argument')
    expect(await wrong({ name: '../escape' })).to.equal('invalid_argument')
    expect(await wrong({ env: { 'a=b': 'c' } })).to.equal('invalid_argument')
    expect(await wrong({ project: { path: '/', name: 'all' } })).to.equal('invalid_argument')
    expect(await wrong({ project: { path: '/etc', name: 'etc' } })).to.equal('invalid_argument')
    expect(await wrong({ project: { path: join(project, 'missing'), name: 'none' } })).to.equal('invalid_argument')
    expect(await wrong({ signal: AbortSignal.abort() })).to.equal('aborted')
    expect(await entries()).to.deep.equal(before)
  })

  it('exist once per name, however many are made at once', async () => {
    const name = local.name()
    const made = await Promise.allSettled([1, 2, 3, 4].map(() => local.create({ name })))
    const codes = made.filter((each) => each.status === 'rejected').map((each) => Reflect.get(Object(each.reason), 'code'))
    expect(codes).to.deep.equal(['already_exists', 'already_exists', 'already_exists'])
    const computer = await local.provider.get(name)
    await answers(computer)
    await computer.delete()
  })

  it('start once, however many start them', async () => {
    const computer = await local.create()
    await computer.stop()
    await Promise.all([1, 2, 3, 4].map(() => computer.start()))
    expect(await sh(computer, 'ps ax | grep -c "[k]it/init run"')).to.equal('1')
    await Promise.all([computer.stop(), computer.stop()])
    await computer.delete()
  })

  it('are never "not found" for another reason than not being there', async () => {
    expect((await failure(local.provider.get('nobody'))).code).to.equal('not_found')
    const computer = await local.create()
    await computer.stop()
    const meta = join(local.dataDir, 'computers', computer.name, 'meta.json')
    const text = await readFile(meta, 'utf8')
    for (const broken of ['', '{', '[]', '{"schema":1}', text.replace('"schema": 1', '"schema": 2')]) {
      await writeFile(meta, broken)
      const info = await (await local.provider.get(computer.name)).info()
      expect(info).to.include({ name: computer.name, state: 'broken' }).and.have.property('problem').that.includes(meta)
      expect((await failure(computer.start())).code).to.equal('corrupt')
      expect(await readFile(meta, 'utf8')).to.equal(broken)
    }
    const states: string[] = []
    for await (const each of local.provider.list()) states.push(each.state)
    expect(states).to.include('broken')
    await writeFile(meta, text)
    await computer.start()
    await rm(meta)
    await computer.delete()
    expect((await failure(computer.info())).code).to.equal('not_found')
  })

  it('can be without a project that may not be written', async () => {
    const fixed = join(project, '../fixed')
    await mkdir(fixed, { mode: 0o555 })
    const computer = await local.create({ project: { path: fixed, name: 'p' } })
    const { exit } = await attempt(computer, 'touch file')
    expect(exit.code === 0).to.equal(tier === 'root')
    expect(await sh(computer, 'cd ~ && touch file && ls')).to.equal('file')
    await computer.delete()
  })
})

/** Its guest takes connections from this machine. */
async function answers(computer: Computer): Promise<void> {
  const channel = await computer.channel?.()
  if (!channel || !('unix' in channel)) throw new Error('no socket')
  await new Promise<void>((resolve, reject) => {
    const socket = connect(channel.unix)
    socket.once('connect', () => (socket.destroy(), resolve()))
    socket.once('error', reject)
  })
}
