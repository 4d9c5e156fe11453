import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { withLock } from '../../src/util/lock.ts'

describe('a lock whose holder is gone', () => {
  let base = ''
  let path = ''
  const children: ChildProcess[] = []

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'amux-lock-'))
    path = join(base, 'deep/lock')
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    rmSync(base, { recursive: true, force: true })
  })

  const holder = async (): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'fixture/hold.ts'), path], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    await once(child.stdout, 'data')
    return child
  }
  const failure = (work: Promise<unknown>) => work.then(() => expect.fail('it should have failed'), (error: { code: string }) => error)

  it('passes over a holder that was killed, one of many waiters at a time', async () => {
    const child = await holder()
    let inside = 0
    const waiters = Array.from({ length: 8 }, () =>
      withLock(path, async () => {
        expect(++inside).to.equal(1)
        await delay(5)
        inside--
      }),
    )
    child.kill('SIGKILL')
    await Promise.all(waiters)
    expect(readdirSync(join(base, 'deep'))).to.deep.equal([])
  })

  it('is not fooled by another process that got the number of a dead one', async () => {
    await withLock(path, async () => {
      const mine = JSON.parse(readFileSync(path, 'utf8')) as { start: string }
      writeFileSync(join(base, 'copy'), JSON.stringify({ ...mine, start: '1' }))
    })
    writeFileSync(path, readFileSync(join(base, 'copy')))
    await withLock(path, async () => undefined, { limit: 2000 })
  })

  it('believes a holder it cannot look at, until that has been silent for long', async () => {
    await withLock(path, async () => undefined)
    writeFileSync(path, JSON.stringify({ pid: process.pid, start: '1', space: 'another machine' }))
    expect(await failure(withLock(path, async () => undefined, { limit: 200 }))).to.have.property('code', 'locked')
    const past = new Date(Date.now() - 60_000)
    utimesSync(path, past, past)
    await withLock(path, async () => undefined, { limit: 2000 })
  })
})
