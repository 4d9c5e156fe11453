import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { type ErrorDocument, Scratch } from '../support/amux.ts'
import { computers, disposeAll } from '../support/computers.ts'

interface Info {
  readonly name: string
  readonly state: string
  readonly workspace: string
}

describe('a project record on the command line', () => {
  let amux: Scratch
  let name = ''

  beforeEach(async () => {
    amux = await Scratch.make()
    name = (await amux.run(['computer', 'create', '-P', 'local'])).stdout.trim()
  })
  afterEach(async () => {
    mkdirSync(amux.project, { recursive: true })
    rmSync(record(), { recursive: true, force: true })
    await disposeAll(amux)
  })

  const record = (dir = amux.project) => join(dir, '.amux/computer.json')
  const failing = async (args: string[], cwd = amux.project) => {
    const { status, document } = await amux.json<ErrorDocument>(args, { cwd })
    return { status, ...document.error }
  }

  it('that is damaged fails every command that needs it, by name, and is left alone', async () => {
    writeFileSync(record(), '{"version": 1,')
    for (const verb of ['info', 'start', 'stop', 'rm', 'create', 'use', 'capabilities']) {
      const { status, code, message } = await failing(['computer', verb])
      expect({ verb, status, code }).to.deep.equal({ verb, status: 1, code: 'corrupt' })
      expect(message).to.contain(record())
    }
    const exec = await amux.run(['computer', 'exec', '--', 'true'])
    expect(exec.status).to.equal(125)
    expect(exec.stderr).to.contain(record()).and.not.match(/\n\s+at /u)
    expect(readFileSync(record(), 'utf8')).to.equal('{"version": 1,')
  })

  it('written by a newer amux says so', async () => {
    writeFileSync(record(), '{"version": 99}')
    expect(await failing(['computer', 'info'])).to.include({ status: 1, code: 'corrupt', hint: 'Update amux.' })
  })

  it('that is a directory says so', async () => {
    rmSync(record())
    mkdirSync(record())
    expect((await failing(['computer', 'info'])).message).to.contain('is a directory')
  })

  it('that came with a commit is used only once the user agrees', async () => {
    const clone = join(amux.path, 'clone')
    cpSync(amux.project, clone, { recursive: true })
    const stranger = { AMUX_HOME: join(amux.path, 'stranger') }
    const refused = await amux.json<ErrorDocument>(['computer', 'info'], { cwd: clone, env: stranger })
    expect({ status: refused.status, code: refused.document.error.code }).to.deep.equal({ status: 5, code: 'confirmation_required' })
    expect(refused.document.error.message).to.contain(record(clone)).and.contain(name)
    const agreed = await amux.json<ErrorDocument>(['computer', 'info', '--yes'], { cwd: clone, env: stranger })
    // The stranger's own provider has no such computer.
    expect({ status: agreed.status, code: agreed.document.error.code }).to.deep.equal({ status: 3, code: 'not_found' })
    const anew = await amux.run(['computer', 'create', '--new', '-P', 'local'], { cwd: clone })
    expect(anew.status, anew.stderr).to.equal(0)
    expect(anew.stdout.trim()).to.not.equal(name)
  })

  it('moves with the project: the computer sees it at its new place from the next start', async () => {
    writeFileSync(join(amux.project, 'kept.txt'), 'moved along')
    await amux.run(['computer', 'stop'])
    const moved = join(amux.path, 'moved')
    renameSync(amux.project, moved)
    const { status, document } = await amux.json<Info>(['computer', 'start'], { cwd: moved })
    expect({ status, name: document.name, workspace: document.workspace }).to.deep.equal({ status: 0, name, workspace: moved })
    const copied = await amux.run(['computer', 'cp', ':kept.txt', 'copy.txt'], { cwd: moved })
    expect(copied.stderr).to.equal('')
    expect(readFileSync(join(moved, 'copy.txt'), 'utf8')).to.equal('moved along')
    renameSync(moved, amux.project)
  })

  it('that was copied is refused, shared, or begun anew, as the user says', async () => {
    const copy = join(amux.path, 'copy')
    cpSync(amux.project, copy, { recursive: true })
    const refused = await failing(['computer', 'info'], copy)
    expect(refused).to.include({ status: 6, code: 'conflict' })
    expect(refused.hint).to.contain('amux computer create --new').and.contain('amux computer use --share')
    const shared = await amux.run(['computer', 'use', '--share'], { cwd: copy })
    expect({ status: shared.status, said: shared.stdout }).to.deep.equal({ status: 0, said: `${name} on local is this project's computer\n` })
    await amux.run(['computer', 'stop'], { cwd: copy })
    expect((await amux.json<Info>(['computer', 'start'], { cwd: copy })).document.workspace).to.equal(amux.project)
    const other = join(amux.path, 'other')
    cpSync(amux.project, other, { recursive: true })
    const anew = await amux.run(['computer', 'create', '--new'], { cwd: other })
    expect(anew.status, anew.stderr).to.equal(4)
    const chosen = await amux.run(['computer', 'create', '--new', '-P', 'local'], { cwd: other })
    expect(chosen.stdout).to.match(/^amux-other-/u)
    expect(await computers(amux)).to.have.length(2)
  })
})
