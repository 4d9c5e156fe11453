import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasCode } from '../../src/errors/index.ts'
import { withLock } from '../../src/util/lock.ts'

const module = join(import.meta.dirname, '../../src/util/lock.ts')

describe('The lock between processes', () => {
  let directory: string
  let path: string
  const children: ChildProcess[] = []
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amux-lock-'))
    path = join(directory, 'x.lock')
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  /** Another process that runs this with the lock held. */
  function other(body: string): ChildProcess {
    const code = `import { withLock } from ${JSON.stringify(module)}; import { appendFileSync } from 'node:fs'
      await withLock(${JSON.stringify(path)}, async () => { ${body} })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    return child
  }

  function said(child: ChildProcess): Promise<void> {
    return new Promise((resolve) => child.stdout?.once('data', () => resolve()))
  }

  it('lets one process in at a time, and loses no one\'s work', async () => {
    const log = join(directory, 'log')
    const line = `appendFileSync(${JSON.stringify(log)}, 'in '); await new Promise((r) => setTimeout(r, 5)); appendFileSync(${JSON.stringify(log)}, 'out\\n')`
    const ends = Array.from({ length: 6 }, () => new Promise((resolve) => other(`for (let i = 0; i < 3; i++) { ${line} }`).on('close', resolve)))
    await withLock(path, () => appendFile(log, 'in out\n'))
    expect(await Promise.all(ends)).to.deep.equal([0, 0, 0, 0, 0, 0])
    expect(await readFile(log, 'utf8')).to.equal('in out\n'.repeat(19))
    expect(await readdir(directory)).to.deep.equal(['log'])
  })

  it('is free again when its holder was killed', async () => {
    const holder = other(`console.log('held'); await new Promise((r) => setTimeout(r, 60_000))`)
    await said(holder)
    const ended = new Promise((resolve) => holder.on('close', resolve))
    holder.kill('SIGKILL')
    await ended
    expect(await withLock(path, async () => 'mine')).to.equal('mine')
  })

  it('says that it waits, gives up at its limit, and stops waiting at a signal', async () => {
    await said(other(`console.log('held'); await new Promise((r) => setTimeout(r, 60_000))`))
    let told = 0
    const late = await withLock(path, async () => 'mine', { limit: 50, onWait: () => told++ }).catch((error: unknown) => error)
    expect(hasCode(late, 'locked')).to.equal(true)
    expect(told).to.equal(1)
    const reason = new Error('enough')
    const stopped = new AbortController()
    const waiting = withLock(path, async () => 'mine', { signal: stopped.signal, onWait: () => stopped.abort(reason) }).catch((error: unknown) => error)
    expect(await waiting).to.equal(reason)
  })

  it('is released when the work fails', async () => {
    const failed = await withLock(path, () => Promise.reject(new Error('no'))).catch((error: Error) => error.message)
    expect(failed).to.equal('no')
    expect(await withLock(path, async () => 'again')).to.equal('again')
  })

  it('takes a file that it cannot read for somebody\'s lock', async () => {
    await writeFile(path, 'nonsense')
    const kept = await withLock(path, async () => 'mine', { limit: 20 }).catch((error: unknown) => error)
    expect(hasCode(kept, 'locked')).to.equal(true)
  })
})
