import { execFileSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { root as repository } from '../support/amux.ts'
import { opened, within } from '../support/opened.ts'
import { type ProjectRecord, type ProjectStore, type SettleOptions, findProject, inspect, locate, locateQuickly, openProject } from '../../src/project/index.ts'

describe("a project's record", () => {
  let base = ''
  let state = ''
  let root = ''

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'amux-record-')))
    state = join(base, 'state')
    root = join(base, 'web')
    mkdirSync(root)
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  const open = (dir = root, options: SettleOptions = {}) => openProject(findProject(dir), state, options)
  const file = () => join(root, '.amux/computer.json')
  const withComputer = (name = 'amux-web-abc123') => (record: ProjectRecord): ProjectRecord => ({
    ...record,
    provider: 'local',
    providers: { ...record.providers, local: { current: name, computers: { [name]: { createdAt: '2026-01-01T00:00:00Z', workspace: root } } } },
  })
  const recorded = async (): Promise<ProjectStore> => {
    const store = await open()
    await store.change(withComputer())
    return store
  }
  const failure = async (work: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> =>
    work.then(
      () => expect.fail('it should have failed'),
      (error: { code: string; message: string; hint: string }) => error,
    )

  it('is not there at first, and costs nothing to look for', async () => {
    const store = await open()
    expect(store.read()).to.equal(undefined)
    expect(existsSync(join(root, '.amux'))).to.equal(false)
  })

  it('is written whole, keeps itself out of git, and is found again', async () => {
    await recorded()
    expect(readFileSync(join(root, '.amux/.gitignore'), 'utf8')).to.equal('*\n')
    const text = JSON.parse(readFileSync(file(), 'utf8')) as ProjectRecord
    expect(text).to.include({ version: 1, path: root, provider: 'local' })
    expect(locate((await open()).read(), {})).to.deep.equal({ provider: 'local', name: 'amux-web-abc123', workspace: root })
    expect(locateQuickly(root, state, {})).to.include({ provider: 'local', name: 'amux-web-abc123' })
    expect(statSync(join(state, 'projects', `${text.id}.json`)).mode & 0o777).to.equal(0o600)
  })

  it('keeps fields it does not know', async () => {
    await recorded()
    const text = JSON.parse(readFileSync(file(), 'utf8')) as object
    writeFileSync(file(), JSON.stringify({ ...text, later: { more: 1 } }))
    await (await open()).change((record) => ({ ...record, agent: 'claude' }))
    expect(JSON.parse(readFileSync(file(), 'utf8'))).to.deep.include({ agent: 'claude', later: { more: 1 } })
  })

  it('loses nothing when many write at once', async () => {
    const store = await recorded()
    const names = Array.from({ length: 12 }, (_, i) => `amux-web-${i}`)
    await Promise.all(
      names.map((name) =>
        store.change((record) => {
          const local = record.providers['local'] ?? { computers: {} }
          return { ...record, providers: { local: { ...local, computers: { ...local.computers, [name]: { createdAt: '2026-01-01T00:00:00Z' } } } } }
        }),
      ),
    )
    expect(Object.keys(store.read()?.providers['local']?.computers ?? {})).to.include.members(names)
  })

  const damages: Readonly<Record<string, (file: string) => void>> = {
    'is not JSON': (path) => writeFileSync(path, '{"version":1,'),
    'is empty': (path) => writeFileSync(path, ''),
    'has other fields': (path) => writeFileSync(path, '{"version":1,"id":7}'),
    'names a current computer it does not list': (path) =>
      writeFileSync(path, JSON.stringify({ version: 1, id: 'a'.repeat(32), path: '/x', providers: { local: { current: 'a', computers: {} } } })),
    'was written by a newer amux': (path) => writeFileSync(path, '{"version":2,"anything":true}'),
    'is a directory': (path) => mkdirSync(path),
    'is a link': (path) => symlinkSync('/etc/hostname', path),
    'is enormous': (path) => writeFileSync(path, Buffer.alloc(2 * 1024 * 1024, 32)),
  }
  for (const [name, damage] of Object.entries(damages)) {
    it(`that ${name} is an error that names it, and stays`, async () => {
      mkdirSync(join(root, '.amux'))
      damage(file())
      const before = statSync(file(), { throwIfNoEntry: false })
      const error = await failure(open())
      expect(error.code).to.equal('corrupt')
      expect(error.message).to.contain(file()).and.contain('left as it is')
      expect(statSync(file(), { throwIfNoEntry: false })?.ino).to.equal(before?.ino)
      expect(statSync(file(), { throwIfNoEntry: false })?.size).to.equal(before?.size)
      expect(locateQuickly(root, state, {})).to.equal(undefined)
    })
  }

  it('is refused where .amux is a file or a link', async () => {
    writeFileSync(join(root, '.amux'), '')
    expect((await failure(open())).message).to.contain(join(root, '.amux'))
    rmSync(join(root, '.amux'))
    symlinkSync(base, join(root, '.amux'))
    expect((await failure(open())).code).to.equal('corrupt')
    expect(existsSync(join(base, '.gitignore'))).to.equal(false)
  })

  it('that somebody else wrote is not used unasked', async () => {
    await recorded()
    const mine = state
    state = join(base, 'another-user')
    expect((await failure(open())).code).to.equal('confirmation_required')
    expect(locateQuickly(root, state, {})).to.equal(undefined)
    const asked: string[] = []
    const store = await open(root, { confirm: async (question) => void asked.push(question) })
    expect(asked[0]).to.contain('local/amux-web-abc123')
    expect(locate(store.read(), {})?.name).to.equal('amux-web-abc123')
    expect(locateQuickly(root, state, {})?.name).to.equal('amux-web-abc123')
    state = mine
  })

  it('to which somebody added a computer is not used unasked', async () => {
    await recorded()
    writeFileSync(file(), JSON.stringify(withComputer('evil')(JSON.parse(readFileSync(file(), 'utf8')) as ProjectRecord)))
    expect((await failure(open())).code).to.equal('confirmation_required')
  })

  it('moves with its project, without a word', async () => {
    await recorded()
    renameSync(root, join(base, 'moved'))
    root = join(base, 'moved')
    expect(inspect(findProject(root), state)).to.include({ standing: 'moved' })
    const store = await open()
    expect(store.read()).to.include({ path: root })
    expect(inspect(findProject(root), state)).to.include({ standing: 'own' })
  })

  it('that was copied is refused until the user says what is meant', async () => {
    await recorded()
    const copy = join(base, 'copy')
    cpSync(root, copy, { recursive: true })
    const error = await failure(open(copy))
    expect(error.code).to.equal('conflict')
    expect(error.message).to.contain(copy).and.contain(root)
    const shared = await open(copy, { share: true })
    expect(locate(shared.read(), {})?.name).to.equal('amux-web-abc123')
    expect(inspect(findProject(root), state)).to.include({ standing: 'own' })
    expect(inspect(findProject(copy), state)).to.include({ standing: 'own' })
  })

  it('of a copy can begin anew', async () => {
    const { id } = (await recorded()).read() ?? { id: '' }
    const copy = join(base, 'copy')
    cpSync(root, copy, { recursive: true })
    const store = await open(copy, { fresh: true })
    expect(store.read()?.id).to.not.equal(id)
    expect(locate(store.read(), {})).to.equal(undefined)
    expect(locate((await open()).read(), {})?.name).to.equal('amux-web-abc123')
  })

  it('seen under another path is no copy', async () => {
    await recorded()
    const other = join(base, 'other')
    mkdirSync(join(other, '.amux'), { recursive: true })
    linkSync(file(), join(other, '.amux/computer.json'))
    expect(inspect(findProject(other), state)).to.include({ standing: 'moved' })
  })

  it('has digests that say nothing without the user’s own key', async () => {
    const store = await recorded()
    const one = await store.digest('secret')
    expect(one).to.equal(await store.digest('secret')).and.not.contain('secret')
    const { id } = store.read() ?? { id: '' }
    const own = join(state, 'projects', `${id}.json`)
    writeFileSync(own, JSON.stringify({ ...(JSON.parse(readFileSync(own, 'utf8')) as object), key: 'another' }))
    expect(await store.digest('secret')).to.not.equal(one)
  })

  /** As an ordinary user, who may not be able to enter the repository. */
  function asNobody(program: readonly string[]): string[] {
    const at = join(base, 'repository')
    mkdirSync(at)
    chownSync(base, 65534, 65534)
    const script = `${opened('"$0"', at)}; exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`
    return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, repository, ...program.map((word) => within(at, word))]
  }

  it('is kept in the user’s own state while the project cannot be written; one that cannot be read is named', () => {
    rmSync(root, { recursive: true })
    const program = [process.execPath, join(import.meta.dirname, 'fixture/unwritable.ts'), base]
    const [first = '', ...rest] = process.getuid?.() === 0 ? asNobody(program) : program
    const said = execFileSync(first, rest, { encoding: 'utf8', env: { HOME: base, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
    const result = JSON.parse(said) as Record<string, unknown>
    expect(result).to.include({ outside: true, inProject: false, quick: 'one', writableAgain: 'one' })
    expect(result['unreadable']).to.contain(file()).and.contain('EACCES')
    expect(result['closed']).to.contain(file()).and.contain('EACCES')
  })
})
