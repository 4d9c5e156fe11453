import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckpointInfo } from '../../src/contract/index.ts'
import { Scratch } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

const CYCLES = Number(process.env['AMUX_SOAK_CYCLES'] ?? 500)

/** As somebody lives with checkpoints who never stops. */
describe(`${CYCLES} cycles of checkpoint, restore and removal`, () => {
  let amux: Scratch
  before(async () => {
    amux = await Scratch.make()
    const { status, stderr } = await amux.run(['computer', 'create', '-P', 'local'])
    expect(status, stderr).to.equal(0)
    await run('exec', '--', 'sh', '-c', 'mkdir ~/d; for n in $(seq 2000); do echo "$n" > ~/d/$n; done; head -c 20000000 /dev/urandom > ~/big')
  })
  after(() => disposeAll(amux))

  const run = async (...args: string[]) => {
    const { status, stdout, stderr } = await amux.run(['computer', ...args])
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }
  const used = () => Number(execFileSync('du', ['-s', '-B1', join(amux.home, 'data')]).toString().split('\t')[0])
  const processes = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length

  it('leaves the disk as full, and as many processes, as before', async () => {
    const first = await run('checkpoint', 'create')
    await run('checkpoint', 'restore', first)
    const [room, count] = [used(), processes()]
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      await run('exec', '--', 'sh', '-c', `for n in $(seq ${1 + (cycle % 7)} 20 2000); do echo "cycle ${cycle} $n" > ~/d/$n; done; echo ${cycle} > ~/cycle; head -c 300000 /dev/urandom > ~/r${cycle % 5}`)
      const id = await run('checkpoint', 'create', '-m', `cycle ${cycle}`)
      await run('exec', '--', 'sh', '-c', 'rm -f ~/d/1*; echo spoiled > ~/cycle')
      if (cycle % 2 === 0) {
        await run('checkpoint', 'restore', id)
        expect(await run('exec', '--', 'sh', '-c', 'cat ~/cycle; ls ~/d | wc -l')).to.equal(`${cycle}\n2000`)
      }
      await run('checkpoint', 'rm', id, '--yes')
      await run('checkpoint', 'restore', first)
    }
    const { document } = await amux.json<readonly CheckpointInfo[]>(['computer', 'checkpoint', 'ls'])
    const others = document.filter(({ id }) => id !== first).map(({ id }) => id)
    expect(others.length).to.be.at.most(10)
    await run('checkpoint', 'rm', ...others, '--yes')
    expect(used() - room, 'bytes that did not come back').to.be.below(4_000_000)
    expect(processes() - count, 'processes that are left').to.be.below(5)
  }).timeout(7_200_000)
})
