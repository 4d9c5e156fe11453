import { expect } from 'chai'
import { execFileSync, spawn } from 'node:child_process'
import { after, before, describe, it } from 'mocha'
import { chmodSync, existsSync, linkSync, lstatSync, lutimesSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerOf, query, Solo } from './solo.ts'
import { type Part, part, tar } from './tar.ts'

const root = process.getuid?.() === 0

describe('an archive', () => {
  let solo: Solo
  before(async () => {
    solo = await Solo.open()
  })
  after(() => solo.close())

  const put = (path: string, bytes: Uint8Array): ReturnType<Solo['call']> => solo.call('PUT', query('/v1/archive', { path }), bytes)
  const get = async (path: string): Promise<Buffer> => (await solo.call('GET', query('/v1/archive', { path }))).body
  const fresh = (): string => mkdtempSync(join(solo.home, 't-'))
  const listing = (bytes: Buffer): string[] => execFileSync('tar', ['-tf', '-'], { input: bytes }).toString().trim().split('\n')

  /** A tree with a bit of everything; returns its path. */
  function plant(): string {
    const tree = fresh()
    mkdirSync(join(tree, 'sub/deeper'), { recursive: true })
    mkdirSync(join(tree, 'empty'))
    writeFileSync(join(tree, 'file'), 'content')
    writeFileSync(join(tree, 'run'), '#!/bin/sh\n', { mode: 0o755 })
    writeFileSync(join(tree, 'nothing'), '')
    writeFileSync(join(tree, 'sub/big'), Buffer.alloc(1_000_003, 'xyz'))
    writeFileSync(join(tree, `sub/deeper/${'long '.repeat(40)}`), 'long')
    writeFileSync(join(tree, 'ünï 漢字\n'), 'name')
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x6e, 0xff, 0xfe])]), 'bytes')
    symlinkSync('/somewhere/absolute', join(tree, 'absolute'))
    symlinkSync('../outside', join(tree, 'upwards'))
    symlinkSync(`${'x/'.repeat(80)}end`, join(tree, 'sub/longlink'))
    linkSync(join(tree, 'file'), join(tree, 'sub/same'))
    chmodSync(join(tree, 'empty'), 0o500)
    utimesSync(join(tree, 'file'), 1_000_000_000, 1_000_000_000)
    utimesSync(join(tree, 'sub'), 1_100_000_000, 1_100_000_000)
    return tree
  }

  function same(one: string, other: string): void {
    execFileSync('diff', ['-r', '--no-dereference', one, other])
    const facts = (path: string): string => execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P %y %m %s %l %T@ %n\n'], { cwd: path, encoding: 'latin1' })
    const stable = (text: string): string[] => text.split('\n').map((line) => line.replace(/ d (\d+) \d+/, ' d $1').replace(/\.\d+/, '')).toSorted()
    expect(stable(facts(one))).to.deep.equal(stable(facts(other)))
  }

  it('carries a tree there and back', async () => {
    const tree = plant()
    lutimesSync(join(tree, 'absolute'), 1_200_000_000, 1_200_000_000)
    const bytes = await get(tree)
    const target = join(solo.home, 'new/place')
    expect((await put(target, bytes)).status).to.equal(204)
    same(tree, target)
  })

  it('is understood by tar, and tar by it', async () => {
    const tree = plant()
    const other = fresh()
    execFileSync('tar', ['-xpf', '-', '-C', other], { input: await get(tree) })
    same(tree, other)
    for (const format of ['gnu', 'pax', 'posix', 'ustar']) {
      if (format === 'ustar') rmSync(join(tree, 'sub'), { recursive: true })
      const target = fresh()
      const bytes = execFileSync('tar', ['--format', format, '-cf', '-', '.'], { cwd: tree, maxBuffer: 1e9 })
      const answer = await put(target, bytes)
      expect(answer.status, `${format} ${answer.body.toString()}`).to.equal(204)
      same(tree, target)
    }
  })

  it('of a file has one entry', async () => {
    const tree = plant()
    expect(listing(await get(join(tree, 'file')))).to.deep.equal(['file'])
    symlinkSync('file', join(tree, 'also'))
    expect(listing(await get(join(tree, 'also')))).to.deep.equal(['also'])
    expect(listing(await get(tree))).to.include.members(['file', 'sub/', 'sub/same', 'empty/'])
    expect((await solo.refusal('GET', query('/v1/archive', { path: 'gone' }))).code).to.equal('not_found')
    expect((await solo.refusal('GET', query('/v1/archive', { path: '/dev/null' }))).code).to.equal('conflict')
  })

  it('leaves out what cannot be in one', async () => {
    const tree = fresh()
    execFileSync('mkfifo', [join(tree, 'pipe')])
    writeFileSync(join(tree, 'file'), '')
    chmodSync(join(tree, 'file'), 0o4755)
    const bytes = await get(tree)
    expect(listing(bytes)).to.deep.equal(['file'])
    expect((await put(fresh(), bytes)).status, 'and what it packs it takes').to.equal(204)
  })

  it('of a tree in motion is whole or broken off, never wrong', async () => {
    const tree = fresh()
    for (let at = 0; at < 200; at++) writeFileSync(join(tree, `f${at}`), `${at}`.repeat(2000))
    const churn = spawn('sh', ['-c', 'while :; do for i in 1 2 3 4 5 6 7 8 9; do rm -f f1$i*; echo new > f1$i; mkdir -p d$i; rmdir d$i; done; done'], { cwd: tree })
    try {
      for (let round = 0; round < 10; round++) execFileSync('tar', ['-tf', '-'], { input: await get(tree), stdio: ['pipe', 'ignore', 'inherit'] })
    } finally {
      churn.kill('SIGKILL')
    }
  })

  it('replaces files and links, and keeps directories with what is in them', async () => {
    const target = fresh()
    mkdirSync(join(target, 'dir'))
    writeFileSync(join(target, 'dir/mine'), 'mine')
    writeFileSync(join(target, 'outside'), 'untouched')
    symlinkSync('outside', join(target, 'link'))
    linkSync(join(target, 'outside'), join(target, 'hard'))
    const bytes = tar({ name: 'dir/', flag: '5', mode: 0o755 }, { name: 'link', body: 'file now' }, { name: 'hard', body: 'own now' }, { name: './a//b/./c', body: 'deep' })
    expect((await put(target, bytes)).status).to.equal(204)
    expect(readFileSync(join(target, 'dir/mine'), 'utf8')).to.equal('mine')
    expect(lstatSync(join(target, 'link')).isFile()).to.equal(true)
    expect(readFileSync(join(target, 'outside'), 'utf8')).to.equal('untouched')
    expect(readFileSync(join(target, 'a/b/c'), 'utf8')).to.equal('deep')
  })

  if (root) {
    it('belongs to the computer\'s user, or to the one named', async () => {
      const other = await Solo.open({ user: { name: 'someone', uid: 4321, gid: 8765, home: solo.home } })
      try {
        const bytes = tar({ name: 'd/', flag: '5' }, { name: 'd/f', body: 'x' }, { name: 'e/f/g', body: 'x' }, { name: 'l', flag: '2', target: 'nowhere' })
        await other.call('PUT', query('/v1/archive', { path: 'owned/here' }), bytes)
        for (const path of ['', 'here', 'here/d', 'here/d/f', 'here/e', 'here/e/f/g', 'here/l']) expect(lstatSync(join(solo.home, 'owned', path)), path).to.include({ uid: 4321, gid: 8765 })
        await other.call('PUT', query('/v1/archive', { path: 'owned/there', user: '5:6' }), bytes)
        expect(statSync(join(solo.home, 'owned/there/d/f'))).to.include({ uid: 5, gid: 6 })
      } finally {
        await other.close()
      }
    })

    it('that does not fit says so', async () => {
      const disk = fresh()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
      try {
        const refusal = await solo.refusal('PUT', query('/v1/archive', { path: disk }), tar({ name: 'fits', body: 'x' }, { name: 'does-not', body: Buffer.alloc(3_000_000) }, { name: 'never', body: 'x' }))
        expect(refusal).to.include({ code: 'quota_exceeded' })
        expect(refusal.message).to.include('unpacking stopped at "does-not"')
        expect(readdirSync(disk)).to.deep.equal(['fits'])
      } finally {
        execFileSync('umount', [disk])
      }
    })
  }

  describe('that is hostile', () => {
    const cases: Readonly<Record<string, readonly Part[]>> = {
      'an absolute name': [{ name: '/tmp/amux-hostile', body: 'x' }],
      'an absolute name in a pax header': [{ name: 'fine', body: 'x', pax: { path: '/tmp/amux-hostile' } }],
      'a way upwards': [{ name: '../hostile', body: 'x' }],
      'a way upwards, in the middle': [{ name: 'a/../../hostile', body: 'x' }],
      'a way upwards, as a directory': [{ name: '..', flag: '5' }],
      'a file through a link': [{ name: 'link', flag: '2', target: '..' }, { name: 'link/hostile', body: 'x' }],
      'a file through a link to itself': [{ name: 'link', flag: '2', target: '.' }, { name: 'link/hostile', body: 'x' }],
      'a directory over a link': [{ name: 'link', flag: '2', target: '..' }, { name: 'link/', flag: '5' }],
      'a hard link outwards': [{ name: 'link', flag: '1', target: '../secret' }],
      'an absolute hard link': [{ name: 'link', flag: '1', target: '/etc/passwd' }],
      'a hard link through a link': [{ name: 'way', flag: '2', target: '..' }, { name: 'link', flag: '1', target: 'way/secret' }],
      'a hard link to a link': [{ name: 'way', flag: '2', target: '../secret' }, { name: 'link', flag: '1', target: 'way' }, { name: 'link', body: 'x' }],
      'a hard link to nothing': [{ name: 'link', flag: '1', target: '' }],
      'a character device': [{ name: 'dev', flag: '3' }],
      'a block device': [{ name: 'dev', flag: '4' }],
      'a pipe': [{ name: 'pipe', flag: '6' }],
      'a setuid file': [{ name: 'su', mode: 0o4755, body: 'x' }],
      'a setgid file': [{ name: 'sg', mode: 0o2755, body: 'x' }],
      'a sparse file': [{ name: 'holes', flag: 'S', body: 'x' }],
      'a sparse file, in pax': [{ name: 'holes', body: 'x', pax: { 'GNU.sparse.major': '1' } }],
      'a wrong checksum': [{ name: 'x', body: 'x', checksum: 1 }],
      'a size that is none': [{ name: 'x', body: 'x', pax: { size: '-5' } }],
      'a broken pax header': [{ name: 'pax', flag: 'x', body: '99 path=short\n' }, { name: 'x', body: 'x' }],
      'a zero byte in a name': [{ name: 'x', body: 'x', pax: { path: 'a\0b' } }],
      'an enormous pax header': [{ name: 'pax', flag: 'x', body: Buffer.alloc(2_000_000, 'x') }],
      'a file where a directory is': [{ name: 'd/', flag: '5' }, { name: 'd', body: 'x' }],
      'a file below a file': [{ name: 'f', body: 'x' }, { name: 'f/g', body: 'x' }],
    }
    for (const [what, parts] of Object.entries(cases)) {
      it(`is refused: ${what}`, async () => {
        const around = fresh()
        const target = join(around, 'target')
        writeFileSync(join(around, 'secret'), 'secret')
        const refusal = await solo.refusal('PUT', query('/v1/archive', { path: target }), tar({ name: 'before', body: 'x' }, ...parts, { name: 'after', body: 'x' }))
        expect(['invalid_argument', 'conflict', 'unsupported']).to.include(refusal.code)
        expect(readdirSync(around).toSorted(), 'nothing outside').to.deep.equal(['secret', 'target'])
        expect(readFileSync(join(around, 'secret'), 'utf8')).to.equal('secret')
        expect(existsSync('/tmp/amux-hostile')).to.equal(false)
        expect(existsSync(join(target, 'before')), 'what came before is there').to.equal(true)
        expect(existsSync(join(target, 'after')), 'what came after is not').to.equal(false)
      })
    }

    it('or cut short, is reported as such', async () => {
      const whole = Buffer.concat([part({ name: 'one', body: 'x'.repeat(3000) }), part({ name: 'two', body: 'y' })])
      for (const end of [0, 100, 512, 1500, whole.length, whole.length + 100]) {
        const refusal = await solo.refusal('PUT', query('/v1/archive', { path: fresh() }), Buffer.concat([whole, Buffer.alloc(1024)]).subarray(0, end))
        expect(refusal, `${end} bytes`).to.include({ code: 'invalid_argument' })
        expect(refusal.message).to.include('ends early')
      }
      expect((await solo.refusal('PUT', query('/v1/archive', { path: fresh() }), 'this is no tar at all, '.repeat(100))).message).to.include('no tar archive')
    })

    it('or whose sender leaves, leaves no torn file', async () => {
      const target = fresh()
      const stream = solo.open('PUT', query('/v1/archive', { path: target }))
      stream.write(part({ name: 'torn', size: 1_000_000, body: 'x'.repeat(200_000) }))
      while (!existsSync(join(target, 'torn'))) await new Promise((resolve) => setTimeout(resolve, 5))
      stream.destroy()
      await answerOf(stream).catch(() => undefined)
      while (existsSync(join(target, 'torn'))) await new Promise((resolve) => setTimeout(resolve, 5))
    })

    it('in the time it gives is taken without that time', async () => {
      const target = fresh()
      expect((await put(target, tar({ name: 'x', body: 'x', pax: { mtime: '1e300' } }, { name: 'y', body: 'y', pax: { mtime: 'never' } }))).status).to.equal(204)
      expect(['x', 'y'].map((name) => statSync(join(target, name)).mtimeMs)).to.deep.equal([0, 0])
    })

    it('by its links alone is taken as it is: nobody follows them', async () => {
      const target = fresh()
      expect((await put(target, tar({ name: 'up', flag: '2', target: '../../..' }, { name: 'passwd', flag: '2', target: '/etc/passwd' }))).status).to.equal(204)
      expect([readlinkSync(join(target, 'up')), readlinkSync(join(target, 'passwd'))]).to.deep.equal(['../../..', '/etc/passwd'])
    })
  })
})
