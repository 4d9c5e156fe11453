import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Provider } from '../../../src/contract/index.ts'
import { equip, type Equipped } from '../../../src/emulation/index.ts'
import { furnish, picture } from '../../../src/testkit/conformance/checkpoints.ts'
import { descriptor as local } from '../../provider-local/src/register.ts'
import { kit, tier } from '../../provider-local/test/support.ts'
import { policyText } from '../../../src/emulation/network/text.ts'
import { engine, hasEngine } from './engine.ts'
import { type Lab, failure, lab, sh } from './support.ts'

/** What makes copies go wrong. */
const more = `cd "$1" && printf x >> kept/sparse && : > kept/empty && touch "$(printf 'n%.0s' $(seq 255))" && ln kept/file "kept/$(printf 'second\\nname')" && ln -s "$(printf 'target\\nof two lines')" kept/odd`

if (hasEngine && tier === 'root') {
  describe('a checkpoint that goes from Docker to this machine and back', function () {
    this.timeout(240_000)
    let here: Lab
    let provider: Provider
    let dir: string
    let first: Equipped
    let second: Equipped
    const project = (name: string) => {
      const path = join(dir, name)
      mkdirSync(path)
      return { path, name }
    }

    before(async function () {
      this.timeout(600_000)
      await engine()
      here = await lab()
      dir = mkdtempSync(join(tmpdir(), 'amux-carry-'))
      provider = await local.connect({ settings: {}, dataDir: join(dir, 'data'), progress: () => {}, debug: () => {}, guest: await kit(), policyText })
      first = await here.create({ project: project('one') })
      const raw = await provider.create({ name: `carry-${process.pid}`, labels: {}, project: project('two') })
      second = equip(raw, { descriptor: local, kit: await kit() })
      writeFileSync(join(dir, 'one', 'noted'), 'noted')
      execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(dir, 'one', 'noted')])
      for (const place of ['/root/stuff', join(dir, 'one')]) {
        await sh(first, `mkdir -p ${place}`)
        await run(first, furnish, place)
        await run(first, more, place)
      }
    })
    after(async () => {
      await second?.delete().catch(() => undefined)
      await second?.close()
      await here?.end()
      rmSync(dir, { recursive: true, force: true })
    })

    it('is refused with its system, and leaves nothing', async () => {
      const { id } = await first.checkpoints.create({ message: 'furnished' })
      const error = await failure(second.checkpoints.import(first.checkpoints.export(id)))
      expect(error).to.include({ code: 'conflict' })
      expect(error).to.have.property('hint').that.includes('--without-system')
      expect(await second.checkpoints.list()).to.deep.equal([])
    })

    it('has home and project there, whole, and leaves the system alone', async () => {
      await sh(second, 'echo mine > /usr/local/mine; echo gone > /root/gone')
      const taken = await second.checkpoints.import(first.checkpoints.export('v1'), { withoutSystem: true })
      expect(taken.message).to.equal(`from v1 of ${first.name} on docker: furnished`)
      const { safety } = await second.checkpoints.restore(taken.id)
      expect(await picture(second, '/root')).to.equal(await picture(first, '/root'))
      expect(await picture(second, join(dir, 'two'))).to.equal(await picture(first, join(dir, 'one')))
      expect(await sh(second, 'cat /usr/local/mine; ls /root/gone 2>/dev/null || echo none; du -k /root/stuff/kept/sparse | cut -f1')).to.match(/^mine\nnone\n\d{1,2}$/)
      expect(execFileSync('getfattr', ['--only-values', '-n', 'user.note', join(dir, 'two', 'noted')], { encoding: 'utf8' })).to.equal('kept')
      await second.checkpoints.restore(safety ?? '')
      expect(await sh(second, 'cat /root/gone; ls /root/stuff 2>/dev/null || echo none')).to.equal('gone\nnone')
      await second.checkpoints.restore(taken.id)
    })

    it('belongs to the user of another computer, whose home takes the project in', async () => {
      const third = await here.create()
      const { id } = await second.checkpoints.create()
      const taken = await third.checkpoints.import(second.checkpoints.export(id), { withoutSystem: true })
      await third.checkpoints.restore(taken.id)
      const theirs = (text: string) => text.replaceAll('|0:0', '|1001:1001')
      expect(await picture(third, '/home/amux/stuff')).to.equal(theirs(await picture(first, '/root/stuff')))
      expect(await picture(third, `/home/amux/${basename(join(dir, 'two'))}`)).to.equal(theirs(await picture(first, join(dir, 'one'))))
      await third.delete()
    })
  })
}

async function run(computer: Equipped, script: string, dir: string): Promise<void> {
  const program = await computer.spawn(['sh', '-c', script, 'sh', dir])
  await program.stdin.end()
  expect(await program.exit).to.deep.equal({ code: 0 })
}
