import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
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

    it('sees a worktree that is made while it runs, without a restart', async () => {
      const main = repository(join(bench.dir, 'live'))
      const [one, two] = [join(bench.dir, 'live-one'), join(bench.dir, 'live-two')]
      git(main, 'worktree', 'add', '-q', one)
      const project = (...worktrees: readonly string[]) => ({ project: { path: main, name: 'live', worktrees } })
      const computer = await bench.create(project(one))
      const program = await computer.spawn(['sh', '-c', `until [ -e ${two}/ready ]; do sleep 0.05; done; cd ${two} && git log --oneline | wc -l > seen`])
      git(main, 'worktree', 'add', '-q', two)
      const raw = await bench.provider.get(computer.name)
      await raw.start(project(one, two))
      expect((await raw.info()).worktrees).to.have.members([one, two])
      writeFileSync(join(two, 'ready'), '')
      expect(await program.exit).to.deep.equal({ code: 0 })
      expect(readFileSync(join(two, 'seen'), 'utf8')).to.equal('1\n')

      docker('restart', '-t', '1', computer.name)
      expect((await raw.info()).worktrees).to.deep.equal([one])
      await raw.start(project(one, two))
      expect(await sh(computer, `cat ${two}/file`), 'put there anew').to.equal('hello')

      const point = await computer.checkpoints.create()
      writeFileSync(join(two, 'file'), 'changed\n')
      await computer.checkpoints.restore(point.id)
      expect(readFileSync(join(two, 'file'), 'utf8'), 'covered by checkpoints').to.equal('hello\n')
      const name = `${computer.name}-fork`
      await computer.fork({ name, labels: {}, checkpoint: point.id })
      const fork = await bench.provider.get(name)
      await fork.start()
      expect(await sh(await bench.equip(fork), `cat ${two}/file`)).to.equal('hello')
      await fork.delete()

      await raw.stop()
      await raw.start()
      expect(await sh(computer, `cat ${two}/file`), 'where nobody says where the project is').to.equal('hello')
      await computer.delete()
    })

    it('sees one that is made again, at once, and none in place of something of its own', async () => {
      const main = repository(join(bench.dir, 'again'))
      const [one, two] = [join(bench.dir, 'again-one'), join(bench.dir, 'again-two')]
      git(main, 'worktree', 'add', '-q', one)
      const project = { path: main, name: 'again', worktrees: [one, two] }
      const computer = await bench.create({ project: { ...project, worktrees: [one] } })
      const raw = await bench.provider.get(computer.name)
      await sh(computer, `mkdir -p ${two} && echo own > ${two}/own`)
      for (const round of ['first', 'second']) {
        git(main, 'worktree', 'remove', '--force', one)
        git(main, 'worktree', 'add', '-q', one)
        writeFileSync(join(one, 'round'), round)
        expect((await raw.info()).worktrees, round).to.deep.equal([])
        mkdirSync(two, { recursive: true })
        await raw.start({ project })
        expect((await raw.info()).worktrees, round).to.deep.equal([one])
        expect(await sh(computer, `cat ${one}/round`)).to.equal(round)
      }
      expect(await sh(computer, `cat ${two}/own`)).to.equal('own')
      await computer.delete()
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
