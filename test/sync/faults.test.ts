import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import type { ByteSource, EquippedComputer, Process } from '../../src/contract/index.ts'
import { fail } from '../../src/errors/index.ts'
import { type SyncOptions, type SyncPlaces, type SyncResult, fillWorkspace, syncProject } from '../../src/sync/index.ts'
import { Lab } from '../emulation/lab.ts'

describe('a sync that meets bad luck', () => {
  let lab: Lab
  let computer: EquippedComputer
  let base = ''
  let root = ''
  let places: SyncPlaces
  const home = process.env['AMUX_HOME']

  before(async () => (lab = await Lab.open()))
  after(() => lab.close())
  beforeEach(async () => {
    base = mkdtempSync(join(tmpdir(), 'amux-sync-'))
    process.env['AMUX_HOME'] = join(base, 'home')
    root = join(base, 'project')
    mkdirSync(join(root, 'deep'), { recursive: true })
    for (const name of ['a', 'b', 'deep/c']) writeFileSync(join(root, name), name)
    computer = await lab.computer()
    const { createdAt, user } = await computer.info()
    places = { root, provider: computer.provider, computer: computer.name, workspace: `${user?.home}/work`, createdAt }
    await fillWorkspace(computer, root, places.workspace, new AbortController().signal)
  })
  afterEach(() => {
    if (home === undefined) delete process.env['AMUX_HOME']
    else process.env['AMUX_HOME'] = home
    rmSync(base, { recursive: true, force: true })
  })

  const sync = (direction: 'push' | 'pull', other: Partial<EquippedComputer> = {}, more: Partial<SyncOptions> = {}): Promise<SyncResult> => {
    const options = { direction, only: [], delete: true, force: false, git: true, dryRun: false, signal: new AbortController().signal, progress: () => {} }
    return syncProject({ ...computer, ...other }, places, { ...options, ...more })
  }
  const changed = ({ plan }: SyncResult) => plan.changes.map(({ path }) => path)
  const there = (path: string) => join(places.workspace, path)
  const clean = () => {
    expect(existsSync(there('.amux'))).to.equal(false)
    expect(existsSync(join(root, '.amux')) ? readdirSync(join(root, '.amux')) : []).to.deep.equal([])
  }

  it('leaves both sides as they are when the connection breaks while files are carried, and finishes next time', async () => {
    writeFileSync(join(root, 'a'), 'changed')
    writeFileSync(join(root, 'large'), Buffer.alloc(3_000_000, 1))
    const archive = { ...computer.archive, write: (path: string, tar: ByteSource) => computer.archive.write(path, cut(tar)) }
    const error = await sync('push', { archive }).catch((reason: unknown) => reason)
    expect(error).to.have.property('code', 'connection_lost')
    expect([readFileSync(there('a'), 'utf8'), existsSync(there('large'))]).to.deep.equal(['a', false])
    clean()
    expect(changed(await sync('push'))).to.deep.equal(['a', 'large'])
    expect(readFileSync(there('a'), 'utf8')).to.equal('changed')
    writeFileSync(there('large'), Buffer.alloc(3_000_000, 2))
    const back = { ...computer.archive, read: (path: string) => cut(computer.archive.read(path)) }
    expect(await sync('pull', { archive: back }).catch((reason: unknown) => reason)).to.have.property('code', 'connection_lost')
    expect(readFileSync(join(root, 'large'))[0]).to.equal(1)
    clean()
    await sync('pull')
    expect(readFileSync(join(root, 'large'))[0]).to.equal(2)
  })

  it('takes nothing for a conflict that it did itself before it broke', async () => {
    writeFileSync(join(root, 'a'), 'changed')
    rmSync(join(root, 'b'))
    let calls = 0
    // Everything is in place, and then nothing is heard any more: nothing is remembered.
    const spawn: EquippedComputer['spawn'] = async (argv, options) => {
      const program = await computer.spawn(argv, options)
      if (argv[2]?.includes('cp -RPlf') !== true) return program
      calls++
      return changedProcess(program, { exit: program.exit.then(() => Promise.reject(fail('connection_lost', 'gone'))) })
    }
    expect(await sync('push', { spawn }).catch((reason: unknown) => reason)).to.have.property('code', 'connection_lost')
    expect([calls, readFileSync(there('a'), 'utf8'), existsSync(there('b'))]).to.deep.equal([1, 'changed', false])
    const { plan, done } = await sync('push')
    expect([done, plan.changes, plan.conflicts]).to.deep.equal([true, [], []])
    expect(changed(await sync('pull'))).to.deep.equal([])
  })

  it('does not carry a file that changes meanwhile, and never a half of one', async () => {
    for (const name of ['a', 'b']) writeFileSync(join(root, name), `${name} changed`)
    const archive = {
      ...computer.archive,
      async write(path: string, tar: ByteSource) {
        writeFileSync(join(root, 'a'), 'changed again')
        await computer.archive.write(path, tar)
      },
    }
    const { unsettled } = await sync('push', { archive })
    expect(unsettled).to.deep.equal([{ path: 'a', side: 'source' }])
    expect([readFileSync(there('a'), 'utf8'), readFileSync(there('b'), 'utf8')]).to.deep.equal(['a', 'b changed'])
    expect(changed(await sync('push'))).to.deep.equal(['a'])
    expect(readFileSync(there('a'), 'utf8')).to.equal('changed again')
  })

  it('does not replace what changes at the target while files are on their way', async () => {
    for (const name of ['a', 'b']) writeFileSync(join(root, name), `${name} changed`)
    const archive = {
      ...computer.archive,
      async write(path: string, tar: ByteSource) {
        await computer.archive.write(path, tar)
        writeFileSync(there('a'), 'theirs')
      },
    }
    expect((await sync('push', { archive })).unsettled).to.deep.equal([{ path: 'a', side: 'target' }])
    expect([readFileSync(there('a'), 'utf8'), readFileSync(there('b'), 'utf8')]).to.deep.equal(['theirs', 'b changed'])
    expect((await sync('push')).plan.conflicts).to.deep.equal([{ path: 'a', why: 'both changed' }])
    clean()
  })

  it('puts nothing in place here that was not asked for, whatever the computer sends', async () => {
    writeFileSync(there('a'), 'theirs')
    const archive = {
      ...computer.archive,
      async *read(path: string) {
        mkdirSync(join(path, '.git/hooks'), { recursive: true })
        writeFileSync(join(path, '.git/hooks/post-checkout'), 'evil')
        writeFileSync(join(path, 'b'), 'not asked for')
        yield* computer.archive.read(path)
      },
    }
    await sync('pull', { archive })
    expect([readFileSync(join(root, 'a'), 'utf8'), readFileSync(join(root, 'b'), 'utf8'), existsSync(join(root, '.git'))]).to.deep.equal(['theirs', 'b', false])
    clean()
  })

  it('is right where a provider loses bytes of a long output without a word', async () => {
    for (let number = 0; number < 3000; number++) writeFileSync(join(root, 'deep', `file with a long name so that there is much to say of it ${number}`), String(number))
    const spawn: EquippedComputer['spawn'] = async (argv, options) => {
      const program = await computer.spawn(argv, options)
      return changedProcess(program, { stdout: firstBytes(program.stdout, 40_000) })
    }
    expect(changed(await sync('push', { spawn }))).to.have.length(3000)
    expect(changed(await sync('push', { spawn }))).to.deep.equal([])
    writeFileSync(there('deep/c'), 'theirs')
    expect(changed(await sync('pull', { spawn }))).to.deep.equal(['deep/c'])
    expect(readdirSync(there('deep'))).to.have.length(3001)
  })

  it('works where find cannot print, and sha256sum and git are missing', async () => {
    const bin = join(base, 'bin')
    mkdirSync(bin)
    for (const tool of ['sh', 'mkdir', 'wc', 'cat', 'rm', 'rmdir', 'cp', 'mv', 'xargs']) symlinkSync(whereIs(tool), join(bin, tool))
    writeFileSync(join(bin, 'find'), `#!/bin/sh\nfor word do [ "$word" = -printf ] && exit 1; done\nexec ${whereIs('find')} "$@"\n`)
    chmodSync(join(bin, 'find'), 0o755)
    const spawn: EquippedComputer['spawn'] = (argv, options) => computer.spawn(argv, { ...options, env: { PATH: bin } })
    // What was remembered was seen by other means.
    rmSync(join(base, 'home'), { recursive: true })
    expect(changed(await sync('push', { spawn }))).to.deep.equal([])
    await worksBothWays({ spawn })
    rmSync(join(bin, 'find'))
    await worksBothWays({ spawn })
  })

  it('deletes nothing here because the computer could not be looked at', async () => {
    writeFileSync(join(root, 'other'), 'x')
    await sync('push')
    const files = { ...computer.files, stat: (path: string) => (path.endsWith('/a') ? Promise.reject(fail('permission_denied', 'no')) : computer.files.stat(path)) }
    rmSync(there('a'))
    expect(await sync('pull', { files }).catch((reason: unknown) => reason)).to.have.property('code', 'permission_denied')
    expect(readFileSync(join(root, 'a'), 'utf8')).to.equal('a')
    expect(changed(await sync('pull'))).to.deep.equal(['a'])
  })

  it('stops when it is told to, and leaves nothing behind', async () => {
    writeFileSync(join(root, 'a'), 'changed')
    const stop = new AbortController()
    const archive = {
      ...computer.archive,
      async write(path: string, tar: ByteSource) {
        await computer.archive.write(path, tar)
        stop.abort(fail('aborted', 'interrupted'))
      },
    }
    expect(await sync('push', { archive }, { signal: stop.signal }).catch((reason: unknown) => reason)).to.have.property('code', 'aborted')
    expect(readFileSync(there('a'), 'utf8')).to.equal('a')
    clean()
  })

  async function worksBothWays(other: Partial<EquippedComputer>): Promise<void> {
    writeFileSync(join(root, 'deep/c'), `mine ${Math.random()}`)
    writeFileSync(join(root, 'new'), `new ${Math.random()}`)
    expect(changed(await sync('push', other))).to.deep.equal(['deep/c', 'new'])
    expect(readFileSync(there('deep/c'), 'utf8')).to.equal(readFileSync(join(root, 'deep/c'), 'utf8'))
    writeFileSync(there('a'), `theirs ${Math.random()}`)
    rmSync(there('new'))
    writeFileSync(there('deep/theirs'), `new ${Math.random()}`)
    expect(changed(await sync('pull', other))).to.have.members(['a', 'new', 'deep/theirs'])
    expect(existsSync(join(root, 'new'))).to.equal(false)
    rmSync(join(root, 'deep/theirs'))
    expect(changed(await sync('push', other))).to.deep.equal(['deep/theirs'])
    clean()
  }
})

function changedProcess(program: Process, change: Partial<Process>): Process {
  const { stdin, stdout, stderr, exit } = program
  return { stdin, stdout, stderr, exit, kill: (signal) => program.kill(signal), resize: (size) => program.resize(size), ...change }
}

async function* cut(tar: ByteSource): AsyncGenerator<Uint8Array> {
  for await (const chunk of tar) {
    yield chunk.subarray(0, 1000)
    throw fail('connection_lost', 'the connection broke')
  }
}

async function* firstBytes(source: ByteSource, limit: number): AsyncGenerator<Uint8Array> {
  let left = limit
  for await (const chunk of source) {
    if (left > 0) yield chunk.subarray(0, left)
    left -= chunk.length
  }
}

function whereIs(tool: string): string {
  const found = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, tool)).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${tool} is needed for this test`)
  return found
}
