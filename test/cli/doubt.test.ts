import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { bin, type ErrorDocument, Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'
import { TestTerminal } from '../support/terminal.ts'

interface Row {
  readonly name: string
  readonly ours: boolean
}

/** One computer for all: none of this may harm it. */
describe('a project record in doubt', () => {
  let amux: Scratch
  let name = ''
  let foreign = ''
  let text = ''

  const record = (dir = amux.project) => join(dir, '.amux/computer.json')

  before(async () => {
    amux = await Scratch.make()
    name = (await amux.run(['computer', 'create', '-P', 'local'])).stdout.trim()
    text = readFileSync(record(), 'utf8')
  })
  after(() => disposeAll(amux))
  beforeEach(() => {
    // Somebody else's project, whose record names this user's computer.
    foreign = join(amux.path, 'foreign')
    cpSync(amux.project, foreign, { recursive: true })
    writeFileSync(record(foreign), text.replace(/"id": "\w+"/u, `"id": "${'0'.repeat(32)}"`))
  })
  afterEach(() => {
    rmSync(foreign, { recursive: true, force: true })
    rmSync(join(amux.project, '.amux'), { recursive: true, force: true })
    cpSync(join(amux.path, 'kept'), amux.project, { recursive: true })
  })
  before(() => cpSync(amux.project, join(amux.path, 'kept'), { recursive: true }))

  it('lets --yes take nothing away', async () => {
    for (const verb of ['rm', 'stop', 'restart']) {
      const { status, document } = await amux.json<ErrorDocument>(['computer', verb, '--yes'], { cwd: foreign })
      expect({ verb, status, code: document.error.code }).to.deep.equal({ verb, status: 5, code: 'confirmation_required' })
    }
    expect((await amux.json<{ state: string }>(['computer', 'info', name])).document.state).to.equal('running')
  })

  it('does not hide which computers there are, nor one that is named', async () => {
    const damaged = join(amux.path, 'damaged')
    cpSync(amux.project, damaged, { recursive: true })
    writeFileSync(record(damaged), '{')
    for (const cwd of [foreign, damaged]) {
      for (const args of [['ls'], ['ls', '-P', 'local']]) {
        const { status, stdout, stderr } = await amux.run(['computer', ...args, '--json'], { cwd })
        expect(status, stderr).to.equal(0)
        expect((JSON.parse(stdout) as Row[]).map(({ name, ours }) => ({ name, ours }))).to.deep.equal([{ name, ours: false }])
        expect(stderr).to.contain(record(cwd))
      }
      for (const args of [['info', name], ['info', name, '-P', 'local'], ['exec', '-c', name, '--', 'true']]) {
        const { status, stderr } = await amux.run(['computer', ...args], { cwd })
        expect(status, stderr).to.equal(0)
      }
    }
  })

  it('gives the same advice everywhere', async () => {
    const copy = join(amux.path, 'copy')
    cpSync(amux.project, copy, { recursive: true })
    for (const [cwd, wanted] of [[foreign, 'amux computer use --yes'], [copy, 'amux computer use --share']] as const) {
      expect((await amux.run(['status'], { cwd })).stdout).to.contain(wanted).and.not.contain(`${name}, running`)
      expect((await amux.run(['doctor'], { cwd })).stdout).to.contain(wanted)
      expect((await amux.run(['computer', 'info'], { cwd })).stderr).to.contain(wanted)
    }
    rmSync(copy, { recursive: true })
  })

  it('that is damaged is put aside by choosing anew, and the project is known again', async () => {
    writeFileSync(record(), '{"half')
    const refused = await amux.run(['computer', 'use', name])
    expect(refused.status, refused.stderr).to.equal(5)
    expect(readFileSync(record(), 'utf8')).to.equal('{"half')
    const { status, stderr } = await amux.run(['computer', 'use', name, '--yes'])
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    const aside = readdirSync(join(amux.project, '.amux')).find((file) => file.includes('.broken-'))
    expect(readFileSync(join(amux.project, '.amux', aside ?? ''), 'utf8')).to.equal('{"half')
    expect((JSON.parse(readFileSync(record(), 'utf8')) as { id: string }).id).to.equal((JSON.parse(text) as { id: string }).id)
  })

  it('that was moved away makes its computer nobody else’s', async () => {
    renameSync(record(), join(amux.path, 'away.json'))
    const { status, stderr } = await amux.run(['computer', 'use', name])
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect((await amux.run(['computer', 'info'])).status).to.equal(0)
  })

  it('of a copy is not shared when there is nothing to share', async () => {
    const copy = join(amux.path, 'unshared')
    cpSync(amux.project, copy, { recursive: true })
    const { status } = await amux.run(['computer', 'use', 'amux-there-is-none', '-P', 'local', '--share'], { cwd: copy })
    expect(status).to.equal(3)
    expect((await amux.json<ErrorDocument>(['computer', 'info'], { cwd: copy })).document.error.code).to.equal('conflict')
    rmSync(copy, { recursive: true })
  })

  it('takes the end of input for a no', async () => {
    const terminal = new TestTerminal(`"${process.execPath}" "${bin}" computer rm`, { cwd: amux.project, env: amux.env() })
    try {
      await terminal.shows('[y/N]')
      terminal.type('\x04')
      expect(await terminal.ended()).to.equal(5)
      expect(await terminal.text()).to.contain('\namux: not confirmed')
    } finally {
      terminal.dispose()
    }
    expect(existsSync(record())).to.equal(true)
  })
})
