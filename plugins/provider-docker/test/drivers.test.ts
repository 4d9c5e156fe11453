import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootIn } from '../src/disk/root.ts'
import type { Equipped } from '../../../src/emulation/index.ts'
import { mayStart, type PrivateEngine, privateEngine, SMALL } from './private.ts'
import { type Lab, lab, sh } from './support.ts'

const ID = 'a'.repeat(64)

describe('where an engine has what is at /', () => {
  it('is taken from the kernel, and only from places that are an engine\'s', () => {
    const containerd = '/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots'
    const overlay = (upper: string) => `700 600 0:50 / / rw,relatime - overlay overlay rw,lowerdir=${containerd}/3/fs,upperdir=${upper},workdir=${containerd}/9/work\n`
    expect(rootIn(overlay(`${containerd}/9/fs`), '/x')).to.deep.equal({ path: `${containerd}/9/fs`, layer: true })
    for (const upper of ['/etc', `${containerd}/9/work`, `${containerd}/../../9/fs`, 'snapshots/9/fs']) expect(rootIn(overlay(upper), '/x'), upper).to.equal(undefined)
    expect(rootIn(`1 2 254:0 /data/x\\040y/vfs/dir/${ID} / rw - ext4 /dev/vda rw`, '/var/lib/docker')).to.deep.equal({ path: `/var/lib/docker/vfs/dir/${ID}`, layer: false })
    expect(rootIn(`1 2 0:40 /btrfs/subvolumes/${ID} / rw - btrfs /dev/loop0 rw`, '/var/lib/docker')).to.deep.equal({ path: `/var/lib/docker/btrfs/subvolumes/${ID}`, layer: false })
    for (const line of ['', 'what', '1 2 254:0 / / rw - ext4 /dev/vda rw', '1 2 254:0 /etc / rw - ext4 /dev/vda rw']) expect(rootIn(line, '/x'), line).to.equal(undefined)
  })
})

const MAPPED = '--userns-remap=default'

if (mayStart) for (const [driver, ...more] of [['vfs'], ['fuse-overlayfs'], ['overlay2'], ['overlay2', MAPPED]] as const) {
  describe(`checkpoints where an engine keeps containers by ${driver} ${more.join(' ')}`.trim(), function () {
    this.timeout(180_000)
    let engine: PrivateEngine | undefined
    let bench: Lab | undefined
    let computer: Equipped
    let project: string
    before(async function () {
      engine = await privateEngine('--storage-driver', driver, ...more)
      if (!engine) return this.skip()
      bench = await lab(engine.host, SMALL)
      project = mkdtempSync(join(tmpdir(), 'amux-mapped-'))
      computer = await bench.create({ project: { path: project, name: 'app' } })
    })
    after(async () => {
      await bench?.end()
      await engine?.end()
      if (project) rmSync(project, { recursive: true, force: true })
    })

    it(more.length > 0 ? 'have no file of this machine, where their users are others' : 'have the project', async () => {
      expect((await computer.info()).workspace).to.equal(more.length > 0 ? undefined : project)
      const outside = (await sh(computer, 'cat /proc/self/uid_map')).trim().split(/\s+/)[1]
      expect(outside === '0').to.equal(more.length === 0)
    })

    const read = async (id: string, path: string) => {
      let text = ''
      for await (const chunk of computer.checkpoints.read(id, path)) text += Buffer.from(chunk).toString()
      return text
    }

    it('are made live, told apart, read and restored in place', async () => {
      const capabilities = await computer.capabilities()
      expect(capabilities.checkpoints.fidelity).to.equal('emulated')
      await sh(computer, 'rm -f /etc/lower/one; echo first > /opt/file', { user: 'root' })
      const { id } = await computer.checkpoints.create()
      expect(id).to.equal('v1')
      await sh(computer, 'rm -r /etc/lower; mkdir /etc/lower; echo later > /etc/lower/one; echo second > /opt/file; echo x > /opt/more', { user: 'root' })
      const changed: string[] = []
      for await (const { path } of computer.checkpoints.diff(id)) changed.push(path)
      expect(changed).to.include.members(['/etc/lower/one', '/etc/lower/sub', '/opt/file', '/opt/more'])
      expect(await read(id, '/opt/file')).to.equal('first\n')
      expect(await read(id, '/etc/lower/sub/two')).to.equal('sub/two of the image\n')
      const { safety } = await computer.checkpoints.restore(id)
      expect(await sh(computer, 'cat /opt/file /etc/lower/sub/two; ls /etc/lower /opt', { user: 'root' })).to.equal('first\nsub/two of the image\n/etc/lower:\nsub\n\n/opt:\nfile')
      await computer.stop()
      await computer.checkpoints.restore(safety ?? '')
      await computer.start()
      expect(await sh(computer, 'cat /opt/file; ls -A /etc/lower', { user: 'root' })).to.equal('second\none')
      if (more.length === 0) return
      const name = `${computer.name}-fork`
      await computer.fork({ name, labels: {}, checkpoint: id })
      const forked = await bench?.equip(await bench.provider.get(name))
      if (forked) expect(await sh(forked, 'cat /opt/file; ls -A /etc/lower', { user: 'root' })).to.equal('first\nsub')
    })

    // Where users are others, nothing of this machine is mounted.
    if (more.length === 0) it('stay with it where its project moves', async () => {
      if (!bench) return expect.fail('there is no engine')
      writeFileSync(join(project, 'mine'), 'yes\n')
      await sh(computer, 'echo moves > /opt/file; rm -rf /etc/lower', { user: 'root' })
      const [{ id } = { id: '' }] = await computer.checkpoints.list()
      await computer.stop()
      const to = `${project}-moved`
      renameSync(project, to)
      project = to
      const raw = await bench.provider.get(computer.name)
      await raw.start({ project: { path: to, name: 'app' } })
      const again = await bench.equip(raw)
      expect(await sh(again, 'pwd; cat mine /opt/file; ls -d /etc/lower || true', { user: 'root' })).to.equal(`${to}\nyes\nmoves`)
      expect((await again.checkpoints.list())[0]?.id).to.equal(id)
    })
  })
}

if (mayStart) {
  describe('checkpoints of a layer in which directories of the image have moved', function () {
    this.timeout(180_000)
    let engine: PrivateEngine | undefined
    let bench: Lab | undefined
    before(async function () {
      engine = await privateEngine('--storage-driver', 'overlay2')
      if (!engine) return this.skip()
      bench = await lab(engine.host, SMALL)
    })
    after(async () => {
      await bench?.end()
      await engine?.end()
    })

    it('are restored as they were', async function () {
      if (!bench || !engine) return this.skip()
      const computer = await bench.create()
      await computer.stop()
      // As a kernel does whose overlays have redirect_dir=on: others follow what it left.
      const { LowerDir, UpperDir, WorkDir } = JSON.parse(engine.docker('inspect', '-f', '{{json .GraphDriver.Data}}', computer.name)) as Record<string, string>
      const at = join(engine.dir, 'merged')
      mkdirSync(at, { recursive: true })
      const redirecting = (script: string) => {
        execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `redirect_dir=on,index=off,lowerdir=${LowerDir},upperdir=${UpperDir},workdir=${WorkDir}`, at])
        execFileSync('sh', ['-c', script], { cwd: at })
        execFileSync('umount', [at])
      }
      redirecting('mv etc/lower etc/moved && echo own > etc/moved/own')
      await computer.start()
      const seen = () => sh(computer, 'cat /etc/moved/one /etc/moved/sub/two /etc/moved/own; ls /etc/moved; ls -d /etc/lower 2>/dev/null || echo gone', { user: 'root' })
      const then = await seen()
      expect(then).to.include('sub/two of the image').and.include('gone')
      const { id } = await computer.checkpoints.create()
      await sh(computer, 'rm /etc/moved/one; echo changed > /etc/moved/sub/two; echo x > /etc/moved/own; mkdir /etc/lower', { user: 'root' })
      await computer.stop()
      redirecting('mv etc/moved/sub etc/sub; rmdir etc/lower')
      await computer.start()
      await computer.checkpoints.restore(id)
      expect(await seen()).to.equal(then)
      let text = ''
      for await (const chunk of computer.checkpoints.read(id, '/etc/moved/sub/two')) text += Buffer.from(chunk).toString()
      expect(text).to.equal('sub/two of the image\n')
    })
  })
}
