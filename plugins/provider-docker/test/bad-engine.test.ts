import { expect } from 'chai'
import { execFileSync, spawnSync } from 'node:child_process'
import { after, before, describe, it } from 'mocha'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Computer, Provider } from '../../../src/contract/index.ts'
import { equip, type Equipped } from '../../../src/emulation/index.ts'
import { bytes } from '../../../src/util/streams.ts'
import { kit } from '../../provider-local/test/support.ts'
import { Client } from '../src/client.ts'
import { leftoversOf } from '../src/gc.ts'
import { descriptor } from '../src/register.ts'
import { connectDocker, hasEngine, mayStart } from './engine.ts'
import { PrivateEngine, TINY } from './private-engine.ts'
import { failure, sh, until } from './support.ts'

/** What a command says in one word and exits with 6 or 7 for: nothing is wrong with what was asked. */
const LATER = ['unavailable', 'connection_lost', 'not_running', 'conflict', 'locked']

if (hasEngine && mayStart) {
  describe('a Docker computer whose engine has bad luck', function () {
    this.timeout(120_000)
    let engine: PrivateEngine
    let dir: string
    let provider: Provider
    let computer: Equipped
    let count = 0

    const equipped = async (raw: Computer) => equip(raw, { descriptor, kit: await kit() })
    const create = async (name: string) => equipped(await provider.create({ name, labels: {}, options: { image: TINY }, network: { access: 'none' } }))
    const left = async (name: string) => (await leftoversOf(new Client({ host: engine.host }))).filter(({ of }) => of === name)
    const containers = (name: string) => engine.docker('ps', '-a', '--filter', `label=amux.docker.of=${name}`, '--format', '{{.Names}}')
    const next = () => `bad-${process.pid}-${++count}`

    before(async () => {
      engine = await PrivateEngine.make(2000)
      dir = mkdtempSync(join(tmpdir(), 'amux-bad-'))
      provider = await connectDocker(dir, { settings: { host: engine.host } })
      computer = await create(next())
      await sh(computer, 'echo kept > ~/file; for n in $(seq 50); do echo $n > /opt/f$n; done; sync')
    })
    after(async () => {
      await computer?.close()
      await engine?.end()
      rmSync(dir, { recursive: true, force: true })
    })

    /** Begins it, ends the engine in the middle, starts that again. */
    async function broken(work: () => Promise<unknown>, how: 'SIGTERM' | 'SIGKILL', ms: number): Promise<{ readonly code?: string; readonly message: string } | undefined> {
      const outcome = work().then(
        () => undefined,
        (error: Error) => error,
      )
      await delay(ms)
      await engine.stop(how)
      const error = await Promise.race([outcome, delay(60_000).then(() => expect.fail('it hangs'))])
      await engine.start()
      return error
    }

    /** After the next verb it is what it was. */
    async function wellAgain(one: Equipped): Promise<void> {
      await startedAsItSays(one)
      expect(await sh(one, 'cat ~/file; ls /opt | wc -l')).to.match(/^kept\n\d+$/)
      await until('its helpers are gone', async () => containers(one.name) === one.name)
      expect(await left(one.name)).to.deep.equal([])
    }

    /** An engine that was killed over a start may hold on to half of it: then the error says how that is ended. */
    async function startedAsItSays(one: Equipped): Promise<void> {
      const again = await one.start().then(() => undefined, (reason: { code?: string; hint?: string }) => reason)
      if (again === undefined) return
      expect(again).to.include({ code: 'unavailable' })
      const kill = /sudo (pkill -9 -f '[^']+')/.exec(again.hint ?? '')?.[1] ?? expect.fail(again.hint)
      await engine.stop('SIGTERM')
      // The words would be found in the shell's own ones, too. It may have ended with its engine by now.
      spawnSync('sh', ['-c', `exec ${kill}`])
      await engine.start()
      await one.start()
    }

    const moments = [
      ['killed', 'SIGKILL'],
      ['stopped', 'SIGTERM'],
    ] as const

    for (const [word, how] of moments) {
      it(`${word} in the middle of a program: it ends there, or to its end, and the next start is as ever`, async () => {
        const error = await broken(async () => (await computer.spawn(['sleep', '3'])).exit, how, 500)
        if (error) expect(error.code, error.message).to.be.oneOf(LATER)
        await wellAgain(computer)
      })

      it(`${word} in the middle of a checkpoint: it is there whole, or not at all`, async () => {
        const before = await computer.checkpoints.list()
        const error = await broken(() => computer.checkpoints.create(), how, 250)
        if (error) expect(error.code, error.message).to.be.oneOf(LATER)
        await wellAgain(computer)
        expect((await computer.checkpoints.list()).length - before.length).to.be.oneOf(error ? [0, 1] : [1])
      })

      it(`${word} in the middle of a restore: it is done by the next start, or was never begun`, async () => {
        await sh(computer, 'for n in $(seq 50); do echo then > /opt/f$n; done')
        const { id } = await computer.checkpoints.create()
        await sh(computer, 'for n in $(seq 50); do echo now > /opt/f$n; done')
        const error = await broken(() => computer.checkpoints.restore(id), how, how === 'SIGKILL' ? 700 : 1200)
        if (error) expect(error.code, error.message).to.be.oneOf([...LATER, 'failed'])
        await wellAgain(computer)
        expect(await sh(computer, 'cat /opt/f* | sort -u 2>/dev/null || cat /opt/f1')).to.be.oneOf(error ? ['then', 'now'] : ['then'])
        await computer.checkpoints.restore(id)
        expect(await sh(computer, 'cat /opt/f1 /opt/f50')).to.equal('then\nthen')
      })
    }

    it('killed in the middle of a start, it starts then, or once the engine has let go as it says', async () => {
      for (const ms of [60, 150, 250]) {
        await computer.stop()
        const error = await broken(() => computer.start(), 'SIGKILL', ms)
        if (error) expect(error.code, error.message).to.be.oneOf(LATER)
        await wellAgain(computer)
      }
    })

    it('killed in the middle of a creation: the same name is there to be had, and nothing of it twice', async () => {
      for (const ms of [60, 250]) {
        const name = next()
        const error = await broken(() => create(name), 'SIGKILL', ms)
        if (error) expect(error.code, error.message).to.be.oneOf(LATER)
        // This process lives: only then what it made half is anybody's to remove.
        const again = await connectDocker(dir, { settings: { host: engine.host } })
        const made = await again.get(name).then(
          (raw) => raw,
          (reason: { code?: string }) => (expect(reason.code).to.equal('not_found'), undefined),
        )
        const one = made ? await equipped(made) : await create(name)
        await startedAsItSays(one)
        expect(await sh(one, 'id -un')).to.equal('amux')
        await one.close()
        await one.delete()
        expect(containers(name)).to.equal('')
        expect(engine.docker('volume', 'ls', '-q', '--filter', `label=amux.docker.of=${name}`)).to.equal('')
      }
    })

    it('killed in the middle of a removal: the next one does the rest', async () => {
      const one = await create(next())
      await one.close()
      const error = await broken(() => one.delete(), 'SIGKILL', 80)
      if (error) expect(error.code, error.message).to.be.oneOf(LATER)
      await provider.get(one.name).then((raw) => raw.delete(), (reason: { code?: string }) => expect(reason.code).to.equal('not_found'))
      expect(containers(one.name) + engine.docker('volume', 'ls', '-q', '--filter', `label=amux.docker.of=${one.name}`)).to.equal('')
    })

    it('killed in the middle of building a template: there is none, and it can be built', async () => {
      const templates = provider.templates
      const error = await broken(() => templates?.build({ name: 'amux-lab/none', base: TINY }) ?? Promise.resolve(), 'SIGKILL', 400)
      expect(error?.code, error?.message).to.be.oneOf([...LATER, 'failed'])
      expect(await failure(templates?.get('amux-lab/none') ?? Promise.resolve())).to.include({ code: 'not_found' })
    })

    it('killed and kept alive by itself: what runs goes on, and so does its terminal', async () => {
      await engine.stop('SIGTERM')
      await engine.start('--live-restore')
      await computer.start()
      const session = await computer.sessions.start(['sleep', '1000'])
      await engine.stop('SIGKILL')
      expect(await sh(computer, 'echo without an engine')).to.equal('without an engine')
      await engine.start('--live-restore')
      expect((await computer.info()).state).to.equal('running')
      expect((await computer.sessions.get(session.session.id)).state.status).to.equal('running')
      await session.kill('SIGKILL')
      await wellAgain(computer)
      await computer.stop()
      await engine.stop('SIGTERM')
      await engine.start()
    })

    it('with a full disk: a checkpoint says so, a restore leaves all as it was, and with room both work', async () => {
      await computer.start()
      const { id } = await computer.checkpoints.create()
      await sh(computer, 'echo new > ~/file; head -c 30000000 /dev/urandom > ~/more; sync')
      const points = await computer.checkpoints.list()
      const filler = join(engine.data, 'filler')
      // First with room for a helper and not for what it copies, then with none at all.
      for (const room of [12, 0]) {
        try {
          fill(filler, room)
          expect(await failure(computer.checkpoints.create())).to.include({ code: 'quota_exceeded' })
          expect(await failure(computer.checkpoints.restore(id))).to.include({ code: 'quota_exceeded' })
          expect(await sh(computer, 'cat ~/file')).to.equal('new')
        } finally {
          for (const path of [filler, `${filler}-rest`]) rmSync(path, { force: true })
        }
        expect((await computer.checkpoints.list()).map((one) => one.id)).to.deep.equal(points.map((one) => one.id))
      }
      await computer.start()
      await computer.checkpoints.restore(id)
      await wellAgain(computer)
    })

    it('with a full disk: nothing is imported, a fork leaves nothing of itself, and with room both are had', async () => {
      await computer.start()
      await sh(computer, 'head -c 30000000 /dev/urandom > ~/more; sync')
      const { id } = await computer.checkpoints.create()
      const tar: Uint8Array[] = []
      for await (const chunk of computer.checkpoints.export(id)) tar.push(chunk)
      const points = (await computer.checkpoints.list()).map((one) => one.id)
      const filler = join(engine.data, 'filler')
      const name = next()
      for (const room of [24, 0]) {
        try {
          fill(filler, room)
          expect(await failure(computer.checkpoints.import(bytes(...tar)))).to.include({ code: 'quota_exceeded' })
          expect(await failure(computer.fork({ name, labels: {}, checkpoint: id }))).to.include({ code: 'quota_exceeded' })
        } finally {
          for (const path of [filler, `${filler}-rest`]) rmSync(path, { force: true })
        }
        expect((await computer.checkpoints.list()).map((one) => one.id)).to.deep.equal(points)
        await until('nothing of it is left', async () => containers(name) === '')
        expect(await left(name)).to.deep.equal([])
        expect(await failure(provider.get(name))).to.include({ code: 'not_found' })
      }
      await computer.checkpoints.import(bytes(...tar))
      await computer.fork({ name, labels: {}, checkpoint: id })
      const forked = await equipped(await provider.get(name))
      expect(await sh(forked, 'wc -c < ~/more')).to.equal('30000000')
      await forked.delete()
      await wellAgain(computer)
    })
  })
}

/** All but so many megabytes of the disk. */
function fill(path: string, room: number): void {
  const rest = room > 0 ? '' : 'head -c 256M /dev/zero > "$0-rest" 2>/dev/null;'
  execFileSync('sh', ['-c', `avail=$(df --output=avail -m "\${0%/*}" | tail -n 1); fallocate -l "$((avail - ${room > 0 ? room : 4}))M" "$0"; ${rest} sync`, path])
}
