import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Capabilities, CheckpointInfo, ComputerInfo } from '../../src/contract/index.ts'
import type { ProjectRecord } from '../../src/project/index.ts'
import { bin, type ErrorDocument, Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

describe('amux computer fork', () => {
  let amux: Scratch
  const here = (name: string) => join(amux.project, name)
  before(async () => {
    amux = await Scratch.make()
    execFileSync('git', ['init', '-q'], { cwd: amux.project })
    writeFileSync(here('code'), 'one\n')
    const { status, stderr } = await amux.run(['computer', 'create', '-P', 'local', '--name', 'origin', '-e', 'WORD=given'])
    expect(status, stderr).to.equal(0)
    await on('origin', 'echo home > ~/file; head -c 20000000 /dev/urandom > ~/big')
  })
  after(() => disposeAll(amux))

  const on = async (name: string, script: string) => {
    const { status, stdout, stderr } = await amux.run(['computer', 'exec', '-c', name, '--', 'sh', '-c', script])
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }
  const failure = async (...args: string[]) => {
    const { status, document } = await amux.json<ErrorDocument>(['computer', ...args])
    return { status, ...document.error }
  }
  const state = async (name: string) => (await amux.json<readonly { name: string; state: string }[]>(['computer', 'ls'])).document.find((one) => one.name === name)?.state
  const record = () => JSON.parse(readFileSync(here('.amux/computer.json'), 'utf8')) as ProjectRecord

  it('makes one beside the current one, with a copy of the project', async () => {
    const { status, stdout, stderr } = await amux.run(['computer', 'fork', 'second'])
    expect([status, stdout], stderr).to.deep.equal([0, 'second\n'])
    expect(stderr).to.contain(`Its ${amux.project} is a copy`).and.to.contain('amux claude -c second')
    expect(await on('second', 'cat ~/file code; echo $WORD; pwd; cat /etc/hostname')).to.equal(`home\none\ngiven\n${amux.project}\nsecond`)
    await on('second', 'echo two > code; echo more > more')
    expect(readFileSync(here('code'), 'utf8')).to.equal('one\n')
    const local = record().providers['local']
    expect([local?.current, Object.keys(local?.computers ?? {})]).to.deep.equal(['origin', ['origin', 'second']])
    const { document } = await amux.json<ComputerInfo>(['computer', 'info', 'second'])
    expect(document).to.include({ state: 'running', workspace: amux.project, ownWorkspace: true })
    const points = (await amux.json<readonly CheckpointInfo[]>(['computer', 'checkpoint', 'ls'])).document
    expect(points[0]).to.include({ kind: 'automatic', message: 'for the fork second' })
  })

  it('gives its changes back by sync', async () => {
    const { status, stderr } = await amux.run(['computer', 'sync', 'pull', '-c', 'second'])
    expect(status, stderr).to.equal(0)
    expect([readFileSync(here('code'), 'utf8'), readFileSync(here('more'), 'utf8')]).to.deep.equal(['two\n', 'more\n'])
  })

  it('goes back in time without touching the project here', async () => {
    const { document } = await amux.json<readonly CheckpointInfo[]>(['computer', 'checkpoint', 'ls', '-c', 'second'])
    const restored = await amux.run(['computer', 'checkpoint', 'restore', document[0]?.id ?? '', '-c', 'second'])
    expect(restored.status, restored.stderr).to.equal(0)
    expect(await on('second', 'cat code')).to.equal('one')
    expect(readFileSync(here('code'), 'utf8')).to.equal('two\n')
    expect((await amux.run(['computer', 'restart', '-c', 'second'])).status).to.equal(0)
    expect(await on('second', 'cat code')).to.equal('one')
  })

  it('begins with an older checkpoint when asked to', async () => {
    const { stdout } = await amux.run(['computer', 'checkpoint', 'create'])
    await on('origin', 'echo later > ~/file')
    expect((await amux.run(['computer', 'fork', 'third', '--checkpoint', stdout.trim()])).status).to.equal(0)
    expect(await on('third', 'cat ~/file')).to.equal('home')
    expect((await amux.run(['computer', 'rm', 'third', '--yes'])).status).to.equal(0)
    expect(await state('third')).to.equal(undefined)
  })

  it('refuses what cannot be, and leaves nothing', async () => {
    expect(await failure('fork', 'origin')).to.include({ status: 6, code: 'already_exists' })
    expect(await failure('fork', 'Not-A-Name')).to.include({ status: 2, code: 'invalid_argument' })
    expect(await failure('fork', 'fourth', '--checkpoint', 'v99')).to.include({ status: 3, code: 'not_found' })
    expect(await failure('fork', 'fourth', '-c', 'nobody')).to.include({ status: 3, code: 'not_found' })
    expect((await amux.run(['computer', 'fork'])).status).to.equal(2)
    expect(await state('fourth')).to.equal(undefined)
    expect(readdirSync(join(amux.home, 'state/forks/local'))).to.deep.equal([])
  })

  it('says that it can', async () => {
    const { document } = await amux.json<{ capabilities: Capabilities }>(['computer', 'capabilities'])
    expect(document.capabilities).to.have.nested.property('fork.fidelity', 'emulated')
    expect(document.capabilities).to.have.nested.property('export.fidelity', 'emulated')
  })

  let count = 0
  for (const moment of ['Making', 'Filling the disk', 'Restoring']) {
    it(`is not mistaken for a computer when it is killed at "${moment}", and is made anew`, async () => {
      const name = `fifth-${++count}`
      await killedAt(moment === 'Making' ? `Making ${name}` : moment, ['computer', 'fork', name])
      const left = await state(name)
      expect(left).to.be.oneOf([undefined, 'broken'])
      if (left === 'broken') {
        expect((await amux.run(['computer', 'exec', '-c', name, '--', 'true'])).status).to.equal(125)
        expect(await failure('start', '-c', name)).to.have.property('message').that.includes('not finished')
      }
      const { status, stderr } = await amux.run(['computer', 'fork', name])
      expect(status, stderr).to.equal(0)
      expect(await on(name, 'cat ~/file; wc -c < ~/big')).to.match(/^\w+\n20000000$/)
      expect((await amux.run(['computer', 'rm', name, '--yes'])).status).to.equal(0)
    })
  }

  it('can be given up half made', async () => {
    await killedAt('Filling the disk', ['computer', 'fork', 'sixth'])
    const { status, stderr } = await amux.run(['computer', 'rm', 'sixth', '--yes'])
    expect(status, stderr).to.equal(0)
    expect(await state('sixth')).to.equal(undefined)
  })

  it('leaves no checkpoint, and no file, of an import or export that is killed', async () => {
    const [tar, half] = [join(amux.path, 'point.tar'), join(amux.path, 'half.tar')]
    const { stdout } = await amux.run(['computer', 'checkpoint', 'create'])
    expect((await amux.run(['computer', 'checkpoint', 'export', stdout.trim(), '-o', tar])).status).to.equal(0)
    const ids = async () => (await amux.json<readonly CheckpointInfo[]>(['computer', 'checkpoint', 'ls'])).document.map(({ id }) => id)
    const before = await ids()
    const child = spawn(process.execPath, [bin, 'computer', 'checkpoint', 'import', '-'], { cwd: amux.project, env: amux.env(), stdio: ['pipe', 'ignore', 'pipe'] })
    child.stdin.on('error', () => undefined)
    child.stdin.write(readFileSync(tar).subarray(0, statSync(tar).size - 5000))
    await once(child.stderr, 'data')
    await new Promise((resolve) => setTimeout(resolve, 2000))
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await ids()).to.deep.equal(before)
    expect((await amux.run(['computer', 'checkpoint', 'import', tar])).status).to.equal(0)
    await killedAt('Writing', ['computer', 'checkpoint', 'export', stdout.trim(), '-o', half]).catch(() => undefined)
    // Whole, where the kill came too late.
    if (existsSync(half)) expect((await amux.run(['computer', 'checkpoint', 'import', half])).status).to.equal(0)
    expect(readdirSync(amux.path).filter((name) => name.includes('half') && name !== 'half.tar')).to.deep.equal([])
  })

  /** Gone the moment it says so. */
  async function killedAt(moment: string, args: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [bin, ...args], { cwd: amux.project, env: amux.env(), stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes(moment)) child.kill('SIGKILL')
    })
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    expect([code, signal], said).to.deep.equal([null, 'SIGKILL'])
  }
})
