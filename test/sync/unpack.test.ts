import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { Header, Pax } from 'tar'
import { pack, unpack as unpackByProgram } from '../../src/sync/index.ts'
import { unpackPortably } from '../../src/sync/unpack-portably.ts'
import type { ByteSource } from '../../src/contract/index.ts'
import type { UnpackOptions } from '../../src/sync/index.ts'

interface Made {
  readonly path: string
  readonly type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO'
  readonly body?: string
  readonly linkpath?: string
  readonly mode?: number
}

/** A tar stream of exactly these entries, however hostile. */
async function* tarOf(entries: readonly Made[]): AsyncGenerator<Uint8Array> {
  for (const { path, type = 'File', body = '', linkpath = '', mode = 0o644 } of entries) {
    const header = new Header({ path, type, size: Buffer.byteLength(body), linkpath, mode, mtime: new Date(1e12), uid: 0, gid: 0 })
    header.encode()
    if (path.length > 100) yield new Pax({ path, size: Buffer.byteLength(body) }).encode()
    yield header.block ?? Buffer.of()
    if (body !== '') yield Buffer.concat([Buffer.from(body), Buffer.alloc((512 - (Buffer.byteLength(body) % 512)) % 512)])
  }
  yield Buffer.alloc(1024)
}

const ways = {
  'by the program': unpackByProgram,
  'where it cannot run': (root: string, tar: ByteSource, options: UnpackOptions = {}) => unpackPortably(root, tar, options),
}

for (const [way, unpack] of Object.entries(ways)) describe(`unpacking what a computer sent, ${way}`, () => {
  let base = ''
  let root = ''

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'amux-unpack-')))
    root = join(base, 'root')
    mkdirSync(root)
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  const refused = async (...entries: Made[]) => {
    const error = await unpack(root, tarOf(entries)).then(
      () => expect.fail('it should have been refused'),
      (error: { code: string; message: string }) => error,
    )
    expect(readdirSync(base)).to.deep.equal(['root'])
    return error
  }

  it('gives files, directories, links, modes and times', async () => {
    const long = `deep/${'x'.repeat(120)}`
    await unpack(root, tarOf([
      { path: 'bin/', type: 'Directory', mode: 0o750 },
      { path: 'bin/run', body: 'echo', mode: 0o755 },
      { path: 'alias', type: 'SymbolicLink', linkpath: 'bin/run' },
      { path: 'same', type: 'Link', linkpath: 'bin/run' },
      { path: 'no/parent/listed', body: 'x' },
      { path: long, body: 'far' },
      { path: 'empty' },
    ]))
    expect(readFileSync(join(root, 'bin/run'), 'utf8')).to.equal('echo')
    expect(statSync(join(root, 'bin/run')).mode & 0o777).to.equal(0o755)
    expect(statSync(join(root, 'bin/run')).mtimeMs).to.equal(1e12)
    expect(statSync(join(root, 'bin')).mode & 0o777).to.equal(0o750)
    expect(readlinkSync(join(root, 'alias'))).to.equal('bin/run')
    expect(statSync(join(root, 'same')).ino).to.equal(statSync(join(root, 'bin/run')).ino)
    expect(readFileSync(join(root, long), 'utf8')).to.equal('far')
    expect(readFileSync(join(root, 'empty'), 'utf8')).to.equal('')
    expect(readdirSync(root)).to.have.members(['bin', 'alias', 'same', 'no', 'deep', 'empty'])
  })

  it('keeps a link that leads out as a link, and never writes through one', async () => {
    writeFileSync(join(base, 'root/target'), '')
    await unpack(root, tarOf([{ path: 'out', type: 'SymbolicLink', linkpath: base }]))
    expect(readlinkSync(join(root, 'out'))).to.equal(base)
    const error = await refused({ path: 'out/evil', body: 'x' })
    expect(error.message).to.contain('out/evil')
    await refused({ path: 'way', type: 'SymbolicLink', linkpath: '..' }, { path: 'way/evil', body: 'x' })
    symlinkSync(join(base, 'elsewhere'), join(root, 'file'))
    await unpack(root, tarOf([{ path: 'file', body: 'replaced' }]))
    expect(lstatSync(join(root, 'file')).isFile()).to.equal(true)
    expect(existsSync(join(base, 'elsewhere'))).to.equal(false)
  })

  const hostile: Readonly<Record<string, readonly Made[]>> = {
    'an absolute name': [{ path: '/tmp/amux-evil', body: 'x' }],
    'a name that leads up': [{ path: '../evil', body: 'x' }],
    'a name that leads up from within': [{ path: 'a/../../evil', body: 'x' }],
    'a directory that leads up': [{ path: '../evil/', type: 'Directory' }],
    'a device': [{ path: 'null', type: 'CharacterDevice' }],
    'a named pipe': [{ path: 'pipe', type: 'FIFO' }],
    'a setuid file': [{ path: 'su', body: 'x', mode: 0o4755 }],
    'a setgid file': [{ path: 'sg', body: 'x', mode: 0o2755 }],
    'a hard link to something outside': [{ path: 'shadow', type: 'Link', linkpath: '/etc/hostname' }],
    'a hard link that leads up': [{ path: 'shadow', type: 'Link', linkpath: '../../etc/hostname' }],
    'a hard link through a link': [
      { path: 'etc', type: 'SymbolicLink', linkpath: '/etc' },
      { path: 'shadow', type: 'Link', linkpath: 'etc/hostname' },
    ],
    'a hard link to a link': [
      { path: 'name', type: 'SymbolicLink', linkpath: '/etc/hostname' },
      { path: 'shadow', type: 'Link', linkpath: 'name' },
    ],
    'a file in the place of a directory': [{ path: 'd/', type: 'Directory' }, { path: 'd', body: 'x' }],
    'a file where a directory should be': [{ path: 'f', body: 'x' }, { path: 'f/g', body: 'x' }],
  }
  for (const [name, entries] of Object.entries(hostile)) {
    it(`refuses ${name}`, async () => {
      const error = await refused(...entries)
      expect(error.code).to.be.oneOf(['corrupt', 'conflict'])
      expect(readdirSync(root).filter((file) => file.startsWith('.amux') || ['null', 'pipe', 'su', 'sg', 'shadow'].includes(file))).to.deep.equal([])
    })
  }

  it('leaves no second name where one file is said twice, and takes the last word on a directory', async () => {
    await unpack(root, tarOf([{ path: 'd/', type: 'Directory', mode: 0o755 }, { path: 'd/a', body: 'x' }, { path: 'b', type: 'Link', linkpath: 'd/a' }, { path: 'b', type: 'Link', linkpath: 'd/a' }, { path: './d', type: 'Directory', mode: 0o700 }]))
    expect(readdirSync(root)).to.deep.equal(['b', 'd'])
    expect(statSync(join(root, 'b')).nlink).to.equal(2)
    expect(statSync(join(root, 'd')).mode & 0o777).to.equal(0o700)
  })

  it('says of a hard link whose file is not there what it says of any', async () => {
    for (const linkpath of ['gone/file', 'gone', 'file/below']) {
      const error = await refused({ path: 'file', body: 'x' }, { path: 'same', type: 'Link', linkpath })
      expect(error.code).to.equal('corrupt')
      expect(error.message).to.match(/^unpacking stopped at "same": it is a hard link to something that is/)
    }
  })

  it('takes one file only where one was asked for, under the name it was asked for', async () => {
    await unpack(root, tarOf([{ path: 'whatever', body: 'x' }]), { only: 'mine' })
    expect(readdirSync(root)).to.deep.equal(['mine'])
    const two = await unpack(root, tarOf([{ path: 'a', body: '1' }, { path: 'b', body: '2' }]), { only: 'mine' }).catch((error: unknown) => error)
    expect(two).to.have.property('code', 'corrupt')
    expect(readdirSync(root)).to.deep.equal(['mine'])
  })

  it('says so when the stream is no archive, or ends early', async () => {
    async function* noise() {
      yield Buffer.alloc(2048, 'not a tar archive ')
    }
    async function* half() {
      for await (const chunk of tarOf([{ path: 'file', body: 'x'.repeat(5000) }])) {
        if (chunk.length > 1024) {
          yield chunk.subarray(0, 1000)
          return
        }
        yield chunk
      }
    }
    for (const source of [noise(), half()]) {
      const error = await unpack(root, source).catch((error: unknown) => error)
      expect(error).to.have.property('code', 'corrupt')
    }
    expect(readdirSync(root)).to.deep.equal([])
  })

  it('gives no file a name that it has not: what is no UTF-8 is left out and said, or refused', async () => {
    const odd = async function* () {
      for await (const piece of tarOf([{ path: 'n?', body: 'one' }, { path: 'n!', body: 'two' }, { path: 'plain', body: 'three' }])) {
        const block = Buffer.from(piece)
        // The sum in the header with it.
        for (const [mark, byte] of [['?', 0xff], ['!', 0xfe]] as const) {
          if (block.length !== 512 || block[0] !== 0x6e || block[1] !== mark.charCodeAt(0)) continue
          block[1] = byte
          const sum = Number.parseInt(block.toString('latin1', 148, 154), 8) + byte - mark.charCodeAt(0)
          block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
        }
        yield block
      }
    }
    const left: string[] = []
    await unpack(root, odd(), { onSkipped: (_, what) => left.push(what) })
    expect(left).to.deep.equal(['its name is no UTF-8', 'its name is no UTF-8'])
    expect(readdirSync(root)).to.deep.equal(['plain'])
    expect(readFileSync(join(root, 'plain'), 'utf8')).to.equal('three')
    expect(await unpack(root, odd()).catch(String)).to.contain('no UTF-8')
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    async function* endless() {
      const { value: header } = await tarOf([{ path: 'file', body: 'x' }]).next()
      for (;;) {
        yield header as Uint8Array
        yield Buffer.alloc(512)
        if (stop.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5))
        stop.abort(new Error('enough'))
      }
    }
    const error = await unpack(root, endless(), { signal: stop.signal }).catch((error: unknown) => error)
    expect(error).to.have.property('message', 'enough')
  })

  it('takes back what was packed here, large and odd names included', async () => {
    const source = join(base, 'root/source')
    mkdirSync(join(source, 'sub dir'), { recursive: true })
    writeFileSync(join(source, '@odd'), 'at')
    writeFileSync(join(source, 'naïve – ü'), 'names')
    writeFileSync(join(source, 'sub dir/large'), Buffer.alloc(5_000_000, 7))
    symlinkSync('../@odd', join(source, 'sub dir/link'))
    linkSync(join(source, '@odd'), join(source, 'sub dir/same'))
    chmodSync(join(source, 'sub dir'), 0o750)
    utimesSync(join(source, '@odd'), 1_000_000_000, 1_000_000_000)
    const target = join(base, 'root/target')
    mkdirSync(target)
    await unpack(target, pack(join(base, 'root'), ['source'], { rename: { from: 'source', to: 'copy' } }))
    expect(readdirSync(join(target, 'copy'))).to.have.members(['@odd', 'naïve – ü', 'sub dir'])
    expect(readFileSync(join(target, 'copy/naïve – ü'), 'utf8')).to.equal('names')
    expect(readFileSync(join(target, 'copy/sub dir/large')).equals(Buffer.alloc(5_000_000, 7))).to.equal(true)
    expect(readFileSync(join(target, 'copy/sub dir/link'), 'utf8')).to.equal('at')
    expect(statSync(join(target, 'copy/sub dir/same')).ino).to.equal(statSync(join(target, 'copy/@odd')).ino)
    expect(statSync(join(target, 'copy/sub dir')).mode & 0o777).to.equal(0o750)
    expect(statSync(join(target, 'copy/@odd')).mtimeMs).to.equal(1e12)
  })

  it('packs for tar too, says what it leaves out, and fails where a named path is not there', async () => {
    const source = join(root, 'source')
    mkdirSync(join(source, 'sub'), { recursive: true })
    writeFileSync(join(source, 'run'), 'x', { mode: 0o4755 })
    chmodSync(join(source, 'run'), 0o4755)
    execFileSync('mkfifo', [join(source, 'sub/pipe')])
    const left: string[] = []
    const chunks: Uint8Array[] = []
    for await (const chunk of pack(source, ['.'], { onSkipped: (path, what) => left.push(`${path}: ${what}`) })) chunks.push(chunk)
    expect(left).to.deep.equal(['sub/pipe: a named pipe'])
    const listed = execFileSync('tar', ['-tvf', '-'], { input: Buffer.concat(chunks), encoding: 'utf8' }).trim().split('\n')
    expect(listed.map((line) => line.replace(/^(\S+) .* (\S+)$/, '$1 $2'))).to.deep.equal(['-rwxr-xr-x run', 'drwxr-xr-x sub/'])
    const error = await unpack(root, pack(source, ['run', 'gone'])).catch((error: unknown) => error)
    expect(error).to.have.property('message').that.includes('gone')
  })
})
