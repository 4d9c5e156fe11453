import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { type ErrorDocument, Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'

describe('amux computer cp', () => {
  let amux: Scratch
  let name = ''

  before(async () => {
    amux = await Scratch.make()
    name = (await amux.run(['computer', 'create', '-P', 'local'])).stdout.trim()
    mkdirSync(join(amux.path, 'here/tree/sub dir'), { recursive: true })
    writeFileSync(here('file'), 'content')
    writeFileSync(here('tree/sub dir/ü'), 'deep')
    writeFileSync(here('tree/run'), '#!/bin/sh', { mode: 0o755 })
    symlinkSync('/etc/hostname', here('tree/link'))
  })
  after(() => disposeAll(amux))

  const here = (path: string) => join(amux.path, 'here', path)
  const cp = async (...args: string[]) => {
    const { status, stdout, stderr } = await amux.run(['computer', 'cp', ...args], { cwd: here('.') })
    return { status, said: stdout + stderr }
  }
  /** Named with -c: it is not the project one stands in. */
  const copy = async (from: string, to: string) => {
    const there = (text: string) => text.replace(/^:/u, `${name}:`)
    expect(await cp(there(from), there(to), '-P', 'local'), `${from} ${to}`).to.deep.equal({ status: 0, said: '' })
  }
  const sh = async (line: string) => (await amux.run(['computer', 'exec', '--', 'sh', '-c', line])).stdout

  it('gives a file a new name, or puts it into a directory', async () => {
    await copy('file', ':/tmp/renamed')
    await copy('file', ':/tmp')
    await copy('file', ':/tmp/')
    expect(await sh('cat /tmp/renamed /tmp/file')).to.equal('contentcontent')
    await copy(':/tmp/renamed', 'back')
    mkdirSync(here('into'))
    await copy(':/tmp/renamed', 'into')
    expect(readFileSync(here('back'), 'utf8') + readFileSync(here('into/renamed'), 'utf8')).to.equal('contentcontent')
  })

  it('makes a directory, puts it into one that is there, or gives its content', async () => {
    await copy('tree', ':/tmp/made')
    await copy('tree', ':/tmp/made')
    await copy('tree/.', ':/tmp/content')
    expect(await sh('cd /tmp && ls made content made/tree')).to.equal('content:\nlink\nrun\nsub dir\n\nmade:\nlink\nrun\nsub dir\ntree\n\nmade/tree:\nlink\nrun\nsub dir\n')
    await copy(':/tmp/made/tree', 'made')
    await copy(':/tmp/made/tree', 'made')
    await copy(':/tmp/content/.', 'made')
    expect(readdirSync(here('made'))).to.have.members(['link', 'run', 'sub dir', 'tree'])
    expect(readFileSync(here('made/tree/sub dir/ü'), 'utf8')).to.equal('deep')
    expect(statSync(here('made/run')).mode & 0o777).to.equal(0o755)
    expect(readlinkSync(here('made/link'))).to.equal('/etc/hostname')
  })

  it('begins a relative path where one stands, and ~ at home', async () => {
    writeFileSync(join(amux.project, 'mine'), 'in the project')
    expect((await amux.run(['computer', 'cp', ':mine', ':~/x'])).status).to.equal(2)
    expect((await amux.run(['computer', 'cp', ':mine', 'copied'])).status).to.equal(0)
    expect(readFileSync(join(amux.project, 'copied'), 'utf8')).to.equal('in the project')
    expect((await amux.run(['computer', 'cp', 'mine', ':~/at-home'])).status).to.equal(0)
    expect(await sh('cat ~/at-home')).to.equal('in the project')
  })

  it('streams tar both ways', async () => {
    await sh('mkdir -p /tmp/from/a /tmp/to && echo 1 > /tmp/from/a/b')
    const out = spawnSync(process.execPath, [bin, 'computer', 'cp', ':/tmp/from', '-'], { cwd: amux.project, env: amux.env() })
    expect(out.status).to.equal(0)
    const list = spawnSync('tar', ['t'], { input: out.stdout, encoding: 'utf8' })
    expect(list.stdout).to.match(/^a\/\na\/b\n$/u)
    const into = spawnSync(process.execPath, [bin, 'computer', 'cp', '-', ':/tmp/to'], { cwd: amux.project, env: amux.env(), input: out.stdout })
    expect(into.status).to.equal(0)
    expect(await sh('cat /tmp/to/a/b')).to.equal('1\n')
  })

  it('carries bytes, many of them, exactly', async () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) & 255))
    writeFileSync(here('bytes'), bytes)
    await copy('bytes', ':/tmp/bytes')
    await copy(':/tmp/bytes', 'bytes.back')
    expect(readFileSync(here('bytes.back')).equals(bytes)).to.equal(true)
  })

  const wrong: readonly (readonly [string[], number, string])[] = [
    [[':/nowhere', '.'], 3, '/nowhere'],
    [['nowhere', ':/tmp'], 3, 'nowhere'],
    [['../here/file', ':/no/such/dir'], 3, '/no/such'],
    [['../here/file', ':/tmp/missing/'], 3, '/tmp/missing/'],
    [['../here/tree', ':/etc/hostname'], 6, '/etc/hostname'],
    [[':/etc', '../here/file'], 6, 'file'],
    [['a', 'b'], 2, 'one side'],
    [[':a', ':b'], 2, 'one side'],
    [['no-such-computer:/tmp', '.'], 3, 'no-such-computer'],
  ]
  for (const [args, status, said] of wrong) {
    it(`refuses ${args.join(' ')}`, async () => {
      const result = await amux.json<ErrorDocument>(['computer', 'cp', ...args])
      expect(result.status).to.equal(status)
      expect(result.document.error.message).to.contain(said)
    })
  }

  it('unpacks nothing outside, whatever the computer puts into its archive', async () => {
    await sh('mkdir -p /tmp/evil && cd /tmp/evil && ln -s /etc way && mkfifo pipe')
    const { status, said } = await cp(`${name}:/tmp/evil`, 'evil', '-P', 'local')
    expect([0, 1]).to.include(status)
    if (status !== 0) expect(said).to.contain('pipe')
    expect(readdirSync(here('evil')).filter((file) => file !== 'way')).to.deep.equal([])
  })
})
