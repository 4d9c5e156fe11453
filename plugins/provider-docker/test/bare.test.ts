import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { arch } from 'node:os'
import { join } from 'node:path'
import { kit } from '../../provider-local/test/support.ts'
import { hasEngine } from './engine.ts'
import { docker, failure, type Lab, lab } from './support.ts'
import { finish } from '../../provider-local/test/support.ts'
import type { Equipped } from '../../../src/emulation/index.ts'

const IMAGE = `amux-lab/bare-${process.pid}:latest`

if (hasEngine) {
  describe('a Docker computer of an image with nothing but one program', () => {
    let bench: Lab
    let computer: Equipped
    before(async function () {
      this.timeout(600_000)
      bench = await lab()
      const root = join(bench.dir, 'bare')
      mkdirSync(root)
      copyFileSync(await (await kit()).init(arch()), join(root, 'prog'))
      docker('import', tarOf(root), IMAGE)
      computer = await bench.create({ options: { image: IMAGE }, env: { GIVEN: 'yes' } })
    })
    after(async () => {
      await bench.end()
      docker('rmi', '-f', IMAGE)
    })

    it('runs that program, by the engine', async () => {
      const { exit, stderr } = await finish(await computer.spawn(['/prog']))
      expect(exit).to.deep.equal({ code: 2 })
      expect(stderr).to.match(/^amux-init run CONFIG/)
      expect((await finish(await computer.spawn(['prog'], { env: { PATH: '/nowhere:/' } }))).exit).to.deep.equal({ code: 2 })
    })

    it('says why it has no more, and what to do', async () => {
      const { sessions, files, exec } = await computer.capabilities()
      expect(exec.fidelity).to.equal('native')
      for (const one of [sessions, files]) expect(one).to.include({ fidelity: 'unavailable' }).and.property('note').include('no Node 22.12 or newer')
      expect(await failure(computer.sessions.list())).to.include({ code: 'tool_missing' }).and.property('hint').include('apk add nodejs')
    })

    it('tells what is missing from what cannot be run, before there is a process', async () => {
      expect(await failure(computer.spawn(['/none']))).to.include({ code: 'program_not_found' })
      expect(await failure(computer.spawn(['none']))).to.include({ code: 'program_not_found' })
      expect(await failure(computer.spawn(['/etc']))).to.include({ code: 'program_not_executable' })
      expect(await failure(computer.spawn(['/prog'], { user: 'nobody-at-all' }))).to.include({ code: 'not_found' })
    })

    it('gives signals to what it runs, and to that alone', async () => {
      const other = await computer.spawn(['/prog', 'first', '/home/amux/other', '/none', '/none'])
      const program = await computer.spawn(['/prog', 'first', '/home/amux/one', '/none', '/none'])
      await program.kill('SIGKILL')
      expect(await program.exit).to.deep.equal({ signal: 'SIGKILL' })
      await other.kill()
      expect(await other.exit).to.deep.equal({ code: 0 })
    })

    it('has checkpoints all the same: they are made from outside', async () => {
      const { id } = await computer.checkpoints.create()
      const program = await computer.spawn(['/prog', 'first', '/home/amux/later', '/none', '/none'])
      await program.kill()
      await program.exit
      const changed: string[] = []
      for await (const { path } of computer.checkpoints.diff(id)) changed.push(path)
      expect(changed).to.include('/home/amux/later')
      await computer.checkpoints.restore(id)
      expect((await computer.info()).state).to.equal('running')
      const after: string[] = []
      for await (const { path } of computer.checkpoints.diff(id)) after.push(path)
      expect(after).not.to.include('/home/amux/later')
    })
  })
}

function tarOf(root: string): string {
  const tar = `${root}.tar`
  execFileSync('tar', ['-C', root, '-cf', tar, '.'])
  return tar
}
