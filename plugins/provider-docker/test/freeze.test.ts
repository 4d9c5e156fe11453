import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Computer } from '../../../src/contract/index.ts'
import { hasEngine } from './engine.ts'
import { docker, type Lab, lab, until } from './support.ts'

if (hasEngine) {
  describe('programs of a Docker computer that stand still', () => {
    let bench: Lab
    let computer: Computer
    before(async function () {
      this.timeout(600_000)
      bench = await lab()
      const { name, sessions } = await bench.create()
      await sessions.start(['sh', '-c', 'while :; do echo x >> /tmp/beats; sleep 0.02; done'], { detached: true })
      computer = await bench.provider.get(name)
    })
    after(() => bench.end())

    const beats = () => docker('exec', computer.name, 'sh', '-c', 'wc -l < /tmp/beats')
    const paused = () => docker('inspect', '-f', '{{.State.Paused}}', computer.name) === 'true'
    const goesOn = () => until('they go on', async () => !paused())

    it('do so until they are thawed, and thawing twice is no error', async () => {
      const frozen = await computer.freeze?.()
      expect(paused()).to.equal(true)
      await frozen?.thaw()
      await frozen?.thaw()
      expect(paused()).to.equal(false)
      const before = Number(beats())
      await until('they write again', async () => Number(beats()) > before)
    })

    it('go on when who froze them is killed', async () => {
      const script = `const { connectDocker } = await import(${JSON.stringify(new URL('engine.ts', import.meta.url).href)}); const provider = await connectDocker(${JSON.stringify(bench.dir)}); await (await provider.get(${JSON.stringify(computer.name)})).freeze(); console.log('frozen'); setInterval(() => {}, 1000)`
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      expect(paused()).to.equal(true)
      child.kill('SIGKILL')
      await goesOn()
    })

    it('are held by one at a time', async () => {
      const first = await computer.freeze?.()
      let second = false
      const later = computer.freeze?.().then(async (frozen) => ((second = true), frozen))
      await delay(300)
      expect(second).to.equal(false)
      await first?.thaw()
      await (await later)?.thaw()
      await goesOn()
    })

    it('are left so by a start, which waits: a checkpoint is of one moment', async () => {
      const frozen = await computer.freeze?.()
      let started = false
      const starting = computer.start().then(() => (started = true))
      await delay(500)
      expect(paused()).to.equal(true)
      expect(started).to.equal(false)
      await frozen?.thaw()
      await starting
    })

    it('go on by themselves after a while', async () => {
      await computer.freeze?.()
      await delay(5000)
      expect(paused()).to.equal(true)
      await until('they go on', async () => !paused(), 10_000)
    })
  })
}
