import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Computer } from '../../../src/contract/index.ts'
import { boxPath } from '../src/box.ts'
import { layout } from '../src/layout.ts'
import { running } from '../src/status.ts'
import { type Bench, bench, failure, processes, sh, text, until } from './support.ts'

/** Ninety processes that write and fork, each below a shell of its own. */
const BUSY = 'for n in $(seq 45); do (while :; do echo x >> /tmp/w$n; (:) ; done) & (while :; do echo y > /tmp/v$n; done) & done; wait'

describe('freezing a local computer', function () {
  this.timeout(60_000)
  let local: Bench
  let computer: Computer
  before(async () => {
    local = await bench()
    computer = await local.create()
  })
  after(() => local.end())

  const place = () => layout(local.dataDir, computer.name)
  const now = () => {
    const found = running(place())
    if (found === undefined) throw new Error('it does not run')
    return found
  }
  const group = () => (existsSync(place().freeze) ? (readFileSync(place().freeze, 'utf8').split('\n')[0] ?? '').trim() : '')
  /** Changes with whatever its programs do: what they have run, and how often they gave way, for many that run little. */
  const traces = async () => {
    const script = 'cat /processes/[0-9]*/stat | awk "{ n += \\$14 + \\$15 } END { print n }"; cat /processes/[0-9]*/status | awk "/ctxt_switches/ { n += \\$2 } END { print n }"'
    const program = await computer.aside?.(['sh', '-c', script], { disk: 'read' })
    return program ? text(program.stdout) : expect.fail('nothing looks at it')
  }
  const moves = async () => {
    const before = await traces()
    await delay(150)
    return (await traces()) !== before
  }
  /** The helper as a program of its own, to be killed. */
  const helper = async () => {
    const child = spawn(boxPath(), ['freeze', place().freeze, String(now().first.pid), now().first.ticks], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    return child
  }

  it('stops ninety busy and forking processes at once, again and again, and lets them go on', async () => {
    const program = await computer.spawn(['sh', '-c', BUSY])
    await until('they run', async () => (await sh(computer, 'ls /tmp/w* | wc -l')) === '45')
    for (let round = 0; round < 3; round++) {
      const frozen = await computer.freeze?.()
      expect(await moves(), 'frozen').to.equal(false)
      await frozen?.thaw()
      await frozen?.thaw()
      expect(await moves(), 'thawed').to.equal(true)
    }
    await program.kill('SIGKILL')
    await computer.stop()
    await computer.start()
  })

  it('holds for programs that came in later, too', async () => {
    const program = await computer.spawn(['sh', '-c', 'while :; do :; done'])
    const frozen = await computer.freeze?.()
    expect(await moves()).to.equal(false)
    await frozen?.thaw()
    await program.kill('SIGKILL')
  })

  it('is not noticed by a shell that waits for a job, nor by one that waits in the background', async () => {
    const script = 'set -m; for i in $(seq 60); do sleep 0.05; done; echo status $?; sleep 1 & wait %1; echo waited $?'
    const program = await computer.spawn(['bash', '-c', script], { tty: { cols: 80, rows: 24 } })
    const output = text(program.stdout)
    for (let round = 0; round < 15; round++) {
      const frozen = await computer.freeze?.()
      await delay(20)
      await frozen?.thaw()
      await delay(30)
    }
    expect(await program.exit).to.deep.equal({ code: 0 })
    expect(await output).to.match(/status 0\s+(\[1\].*\s+)?waited 0/).and.not.match(/Stopped/)
  })

  it('leaves what was stopped before as it was', async () => {
    const program = await computer.spawn(['sh', '-c', 'sleep 987 & pid=$!; sleep 0.3; kill -STOP $pid; echo $pid; wait'])
    const state = () => sh(computer, 'ps -o stat= -p $(pgrep -f "^sleep 987") || true')
    await until('it has stopped', async () => (await state()).startsWith('T'))
    const frozen = await computer.freeze?.()
    await frozen?.thaw()
    expect(await state()).to.match(/^T/)
    await program.kill('SIGKILL')
    await sh(computer, 'pkill -9 -f "^sleep 987"')
  })

  it('ends when the one who froze it is killed', async () => {
    const busy = await computer.spawn(['sh', '-c', 'while :; do :; done'])
    const child = await helper()
    expect(await moves()).to.equal(false)
    child.kill('SIGKILL')
    await until('they go on', moves)
    await busy.kill('SIGKILL')
  })

  it('ends with the program that asked for it', async () => {
    const busy = await computer.spawn(['sh', '-c', 'while :; do :; done'])
    const child = await helper()
    child.stdin.destroy()
    await once(child, 'exit')
    expect(await moves()).to.equal(true)
    await busy.kill('SIGKILL')
  })

  it('ends by itself', async () => {
    const started = Date.now()
    const child = await helper()
    expect(await once(child, 'exit')).to.deep.equal([0, null])
    expect(Date.now() - started).to.be.within(9_000, 15_000)
  })

  it('does not keep a computer from being started, stopped or deleted', async () => {
    let child = await helper()
    await computer.start()
    expect(await sh(computer, 'echo on')).to.equal('on')
    await until('its helper has ended', () => child.exitCode !== null)
    child = await helper()
    await computer.stop()
    expect((await computer.info()).state).to.equal('stopped')
    await until('its helper has ended', () => child.exitCode !== null)
    expect((await failure(computer.freeze?.() ?? Promise.resolve())).code).to.equal('not_running')
    const other = await local.create()
    await other.freeze?.()
    await other.delete()
    await computer.start()
  })

  it('leaves no control group behind, also when the keeper was killed', async () => {
    await computer.start()
    const path = group()
    if (path !== '') expect(readdirSync(path)).to.include('cgroup.procs')
    process.kill(processes(local, computer).keeper, 'SIGKILL')
    await until('it is gone', async () => (await computer.info()).state === 'stopped')
    await computer.start()
    expect(group()).to.equal(path)
    expect(await sh(computer, 'cat /proc/self/cgroup')).not.to.include('amux')
    await computer.stop()
    if (path !== '') expect(existsSync(path)).to.equal(false)
    await computer.start()
    process.kill(processes(local, computer).keeper, 'SIGKILL')
    await computer.delete()
    if (path !== '') expect(existsSync(join(path, 'cgroup.procs'))).to.equal(false)
    computer = await local.create()
  })
})
