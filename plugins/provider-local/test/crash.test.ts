import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Computer } from '../../../src/contract/index.ts'
import { layout } from '../src/layout.ts'
import { running } from '../src/status.ts'
import { type Bench, bench, failure, inCommandLine, processes, sh, until } from './support.ts'

describe('a local computer survives', () => {
  let local: Bench
  before(async () => {
    local = await bench()
  })
  after(() => local.end())

  const gone = (pid: number) => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === true
  const mine = (text: string) => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && inCommandLine(pid, text))

  async function lived(): Promise<{ computer: Computer; marker: string }> {
    const computer = await local.create()
    const marker = String(700_000 + Math.floor(Math.random() * 99_999))
    await sh(computer, `echo kept > ~/file; (setsid sleep ${marker} >/dev/null 2>&1 &)`)
    await until('it sleeps', () => mine(marker).length > 0)
    return { computer, marker }
  }

  async function comesBack(computer: Computer): Promise<void> {
    expect((await computer.info()).state).to.equal('stopped')
    await computer.start()
    expect(await sh(computer, 'cat ~/file')).to.equal('kept')
    await computer.delete()
  }

  it('the death of its keeper: everything in it ends', async () => {
    const { computer, marker } = await lived()
    const { keeper, first } = processes(local, computer)
    process.kill(keeper, 'SIGKILL')
    await until('all is gone', () => gone(first) && mine(marker).length === 0)
    await comesBack(computer)
  })

  it('the death of its first process', async () => {
    const { computer, marker } = await lived()
    const { keeper, first } = processes(local, computer)
    process.kill(first, 'SIGKILL')
    await until('all is gone', () => gone(keeper) && mine(marker).length === 0)
    await comesBack(computer)
  })

  it('a start while what its killed keeper left is still dying', async () => {
    for (let round = 0; round < 5; round++) {
      const computer = await local.create()
      await sh(computer, 'echo kept > ~/file')
      process.kill(processes(local, computer).keeper, 'SIGKILL')
      await until('it is seen', async () => (await computer.info()).state === 'stopped')
      await comesBack(computer)
    }
  })

  it('the death of everything at once, and stale files', async () => {
    const { computer } = await lived()
    const { keeper, first } = processes(local, computer)
    const place = layout(local.dataDir, computer.name)
    for (const pid of [keeper, first]) process.kill(pid, 'SIGKILL')
    await until('it is seen', () => running(place) === undefined && gone(first))
    expect(await readdir(place.run)).to.include('guest.sock')
    await writeFile(join(place.run, 'leftover'), '')
    await writeFile(place.lock, 'other-boot 1 1 1 1\n')
    await comesBack(computer)
  })

  it('a stopped first process: stop ends it all the same', async () => {
    const computer = await local.create()
    const { first } = processes(local, computer)
    process.kill(first, 'SIGSTOP')
    const place = layout(local.dataDir, computer.name)
    const stopping = computer.stop()
    await delay(100)
    process.kill(first, 'SIGCONT')
    await stopping
    expect(running(place)).to.equal(undefined)
    await computer.delete()
  })

  it('programs that will not end: stop has a bound', async function () {
    this.timeout(60_000)
    const computer = await local.create()
    await sh(computer, "(setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 1; done' >/dev/null 2>&1 &)")
    await computer.stop()
    expect((await computer.info()).state).to.equal('stopped')
    await computer.delete()
  })

  it('a creator killed at any moment: the name is free or the computer is whole', async function () {
    this.timeout(60_000)
    for (const pause of [0, 20, 60, 90, 120, 160, 220]) {
      const name = local.name()
      const creator = spawn(process.execPath, [join(import.meta.dirname, 'create.ts'), local.dataDir, name], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise((resolve) => creator.once('exit', resolve))
      await Promise.race([ended, new Promise((resolve) => creator.stdout.once('data', resolve))])
      await delay(pause)
      creator.kill('SIGKILL')
      await ended
      const found = await local.provider.get(name).catch(() => undefined)
      const computer = found ?? (await local.create({ name }))
      await computer.start()
      expect(await sh(computer, 'echo alive')).to.equal('alive')
      await computer.delete()
    }
    expect((await readdir(join(local.dataDir, 'computers'))).filter((name) => name.startsWith('.'))).to.deep.equal([])
  })

  it('deletion while it is being started', async () => {
    const computer = await local.create()
    await computer.stop()
    const starting = computer.start().then(() => 'started', (error: { code?: string }) => error.code)
    await delay(15)
    await computer.delete()
    expect(await starting).to.be.oneOf(['started', 'not_found', 'failed', 'unavailable'])
    const place = layout(local.dataDir, computer.name)
    expect(existsSync(place.dir)).to.equal(false)
    await until('no keeper is left', () => mine(place.lock).length === 0)
    expect((await failure(local.provider.get(computer.name))).code).to.equal('not_found')
  })
})
