import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasEngine } from './engine.ts'
import { docker, failure, type Lab, lab, sh } from './support.ts'

function git(dir: string, ...args: readonly string[]): void {
  execFileSync('git', ['-C', dir, '-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], { stdio: 'ignore' })
}

function repository(path: string): string {
  mkdirSync(path, { recursive: true })
  git(path, 'init', '-q', '-b', 'main')
  writeFileSync(join(path, 'file'), 'hello\n')
  git(path, 'add', '.')
  git(path, 'commit', '-qm', 'first')
  return path
}

if (hasEngine) {
  describe('a Docker computer whose project is elsewhere now', () => {
    let bench: Lab
    before(async function () {
      this.timeout(600_000)
      bench = await lab()
    })
    after(() => bench.end())

    it('sees it there after the next start, with all that it had itself', async () => {
      const from = repository(join(bench.dir, 'from'))
      const to = join(bench.dir, 'to')
      const computer = await bench.create({ project: { path: from, name: 'from' } })
      await sh(computer, 'echo system > /opt/thing && rm /usr/bin/tree && echo home > ~/thing && git log --oneline | grep -q first')
      expect(await sh(computer, 'pwd')).to.equal(from)
      const point = await computer.checkpoints.create()
      renameSync(from, to)
      const raw = await bench.provider.get(computer.name)
      expect(await failure(raw.start({ project: { path: to, name: 'from' } }))).to.include({ code: 'conflict' })
      await raw.stop()
      await raw.start({ project: { path: to, name: 'from' } })
      const again = await bench.equip(raw)
      expect(await sh(again, 'pwd; cat file /opt/thing ~/thing; ls /usr/bin/tree 2>/dev/null; git status --short')).to.equal(`${to}\nhello\nsystem\nhome`)
      expect((await again.info()).workspace).to.equal(to)
      expect((await again.checkpoints.list()).map(({ id }) => id)).to.deep.equal([point.id])
      await sh(again, 'echo changed > /opt/thing')
      await again.checkpoints.restore(point.id)
      expect(await sh(again, 'cat /opt/thing')).to.equal('system')
      await again.delete()
    })

    it('sees new worktrees after the next start, and does without one that is gone', async () => {
      const main = repository(join(bench.dir, 'main'))
      const [one, two] = [join(bench.dir, 'one'), join(bench.dir, 'two')]
      git(main, 'worktree', 'add', '-q', one)
      const computer = await bench.create({ project: { path: main, name: 'main', worktrees: [one] } })
      expect(await sh(computer, `cd ${one} && cat file && git log --oneline | wc -l`)).to.equal('hello\n1')
      git(main, 'worktree', 'add', '-q', two)
      git(main, 'worktree', 'remove', one)
      const raw = await bench.provider.get(computer.name)
      await raw.stop()
      await raw.start({ project: { path: main, name: 'main', worktrees: [two] } })
      const again = await bench.equip(raw)
      expect(await sh(again, `cat ${two}/file; ls -A ${one} | wc -l`)).to.equal('hello\n0')
      expect((await again.info()).worktrees).to.deep.equal([two])
      await again.delete()
    })

    it('goes on where taking its place was interrupted', async () => {
      const from = repository(join(bench.dir, 'here'))
      const computer = await bench.create({ project: { path: from, name: 'here' } })
      await sh(computer, 'echo system > /opt/thing')
      await computer.stop()
      // As if the last step had not been done.
      docker('rename', computer.name, `amux.${computer.name}.next`)
      const raw = await bench.provider.get(computer.name)
      await raw.start({ project: { path: from, name: 'here' } })
      expect(await sh(await bench.equip(raw), 'cat /opt/thing')).to.equal('system')
      await raw.delete()
    })
  })
}
