import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, copyFileSync, existsSync, ftruncateSync, linkSync, lstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { expect } from 'chai'
import { initProgram } from '../../src/native/index.ts'
import { isNotStarted, latin1, pack, packPortably, type Root, unpackBy, unpackFrom } from '../../src/tar/index.ts'
import { part, tar } from '../guest/tar.ts'

const program = initProgram() ?? 'none'

async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of source) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

async function* of(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

function failureOf(work: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  return work.then(
    () => expect.fail('it should have failed'),
    (error: Error) => error,
  )
}

/** Processes of the program that are children of this one. */
function running(): string[] {
  return execFileSync('ps', ['-o', 'comm=', '--ppid', String(process.pid)]).toString().split('\n').filter((name) => name.startsWith('amux-init'))
}

describe('the program that packs and unpacks', () => {
  let base = ''
  let root = ''

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'amux-tar-'))
    root = join(base, 'root')
    mkdirSync(root)
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  const packed = (...roots: readonly Root[]) => whole(pack(roots.map((one) => ({ ...one, path: latin1(one.path) }))))

  describe('packs', () => {
    function plant(): void {
      mkdirSync(join(root, 'sub/deeper'), { recursive: true })
      mkdirSync(join(root, 'empty'), { mode: 0o700 })
      writeFileSync(join(root, 'file'), 'content', { mode: 0o640 })
      writeFileSync(join(root, 'nothing'), '')
      writeFileSync(join(root, 'sub/block'), Buffer.alloc(512, 'b'))
      writeFileSync(join(root, 'sub/large'), Buffer.alloc(300_001, 'xyz'))
      writeFileSync(join(root, `sub/${'long '.repeat(40)}`), 'long')
      writeFileSync(join(root, 'ünï 漢字\n'), 'name')
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x6e, 0xff, 0xfe])]), 'bytes')
      symlinkSync('../outside', join(root, 'upwards'))
      symlinkSync(`${'x/'.repeat(80)}énd`, join(root, 'sub/link'))
      linkSync(join(root, 'file'), join(root, 'sub/same'))
      linkSync(join(root, 'file'), join(root, 'zz-same'))
      execFileSync('mkfifo', [join(root, 'pipe')])
      utimesSync(join(root, 'file'), 1_000_000_000.25, 1_000_000_000.25)
      utimesSync(join(root, 'sub'), 5, 5)
      execFileSync('touch', ['-d', '1965-03-04 05:06:07.5 UTC', join(root, 'nothing')])
      execFileSync('touch', ['-d', '1969-12-31 23:59:59.75 UTC', join(root, 'sub/block')])
    }

    for (const wholeSeconds of [true, false]) {
      it(`the same bytes as where it cannot run${wholeSeconds ? ', in whole seconds' : ''}`, async () => {
        plant()
        symlinkSync('sub', join(root, 'followed'))
        const roots: Root[] = [{ path: latin1(root), name: '' }, { path: latin1(join(root, 'followed')), name: 'named', follow: true }, { path: latin1(join(root, 'file')), name: 'again' }]
        const left: string[][] = [[], []]
        const [one, other] = [await whole(pack(roots, { wholeSeconds, onSkipped: (...words) => left[0]?.push(words.join(': ')) })), await whole(packPortably(roots, { wholeSeconds, onSkipped: (...words) => left[1]?.push(words.join(': ')) }))]
        expect(one.equals(other)).to.equal(true)
        expect(left).to.deep.equal([['pipe: a named pipe'], ['pipe: a named pipe']])
      })
    }

    it('many hard links and many files', async () => {
      for (let at = 0; at < 3000; at++) {
        writeFileSync(join(root, `f${at}`), `${at}`)
        linkSync(join(root, `f${at}`), join(root, `l${at}`))
      }
      const roots = [{ path: latin1(root), name: '' }]
      expect((await whole(pack(roots))).equals(await whole(packPortably(roots)))).to.equal(true)
    })

    it('says which place is not there, as Node would', async () => {
      const error = await failureOf(packed({ path: join(base, 'gone'), name: 'x' }, { path: root, name: '' }))
      expect(error).to.include({ code: 'ENOENT', path: join(base, 'gone') })
      expect(error.message).to.equal(`ENOENT: no such file or directory, lstat '${join(base, 'gone')}'`)
    })

    if (process.getuid?.() === 0) {
      it('says which file may not be read, as Node would', () => {
        writeFileSync(join(root, 'closed'), 'x', { mode: 0o600 })
        chmodSync(base, 0o755)
        const copy = join(base, 'program')
        copyFileSync(program, copy)
        const { status, stderr } = spawnSync(copy, ['pack', 'exact'], { input: `${root}\0${0}tree\0`, uid: 65534, gid: 65534 })
        expect([status, stderr.toString()]).to.deep.equal([1, `p#13\0${root}/closed\0open\0`])
      })
    }

    it('breaks off where a file becomes shorter under it, and fills nothing up', async () => {
      const file = openSync(join(root, 'shrinks'), 'w')
      ftruncateSync(file, 500_000_000)
      closeSync(file)
      const error = await failureOf(
        (async () => {
          let first = true
          for await (const _ of pack([{ path: latin1(root), name: '' }])) {
            if (first) truncateSync(join(root, 'shrinks'), 100)
            first = false
          }
        })(),
      )
      expect(error.message).to.equal('"shrinks" became shorter while it was read')
    })

    it('ends when nobody reads on', async () => {
      const file = openSync(join(root, 'large'), 'w')
      ftruncateSync(file, 500_000_000)
      closeSync(file)
      for await (const _ of pack([{ path: latin1(root), name: '' }])) break
      while (running().length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    })

    it('a tree as deep as no path can be', async () => {
      const dig = `const fs = require('fs'); for (let at = 0; at < 3000; at++) { fs.mkdirSync('d'); process.chdir('d') } fs.writeFileSync('file', '')`
      execFileSync(process.execPath, ['-e', dig], { cwd: root })
      const bytes = await packed({ path: root, name: '' })
      const target = join(base, 'target')
      mkdirSync(target)
      await unpackBy(program, target, of(bytes))
      expect(execFileSync('find', [target, '-name', 'file', '-printf', '%d']).toString()).to.equal('3001')
      // As deep, `rm` of Node does not go.
      execFileSync('rm', ['-rf', base])
    })
  })

  describe('unpacks', () => {
    it('with modes, times, owner and links as they are said', async () => {
      const bytes = tar({ name: 'd/', flag: '5', mode: 0o750 }, { name: 'd/f', mode: 0o604, body: 'x', pax: { mtime: '1234.5' } }, { name: 'l', flag: '2', target: 'dé' }, { name: 'old', body: '', pax: { mtime: '-100.25' } })
      await unpackBy(program, root, of(bytes), { exact: true })
      expect(statSync(join(root, 'd'))).to.include({ mode: 0o040750, mtimeMs: 0o14000000000 * 1000 })
      expect(statSync(join(root, 'd/f'))).to.include({ mode: 0o100604, mtimeMs: 1_234_500 })
      expect(readlinkSync(join(root, 'l'))).to.equal('dé')
      expect(statSync(join(root, 'old')).mtimeMs).to.equal(-100_250)
    })

    it('leaves no second name where one file is said twice', async () => {
      const bytes = tar({ name: 'a', body: 'x' }, { name: 'b', flag: '1', target: 'a' }, { name: 'b', flag: '1', target: 'a' }, { name: 'a', flag: '1', target: 'a' })
      for (const exact of [true, false]) {
        await unpackBy(program, root, of(bytes), { exact })
        expect(readdirSync(root)).to.deep.equal(['a', 'b'])
        expect(statSync(join(root, 'a')).nlink).to.equal(2)
      }
    })

    it('says at once what it refuses, though the sender is silent', async () => {
      let told = false
      async function* silent() {
        yield part({ name: '../up', body: 'x' })
        await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
        told = true
      }
      const error = await failureOf(unpackBy(program, root, silent()))
      expect(error.message).to.equal('unpacking stopped at "../up": its name leads out of the archive (..)')
      expect(told).to.equal(false)
    })

    it('gives the sender\'s failure as it is, and takes back what is half written', async () => {
      async function* broken() {
        yield part({ name: 'one', body: 'x' })
        yield part({ name: 'torn', size: 1_000_000, body: 'x'.repeat(200_000) })
        while (!existsSync(join(root, 'one'))) await new Promise((resolve) => setTimeout(resolve, 5))
        throw new Error('the sender broke')
      }
      expect(await failureOf(unpackBy(program, root, broken()))).to.have.property('message', 'the sender broke')
      expect(readdirSync(root)).to.deep.equal(['one'])
      expect(running()).to.deep.equal([])
    })

    for (const exact of [true, false]) {
      it(`leaves nothing half written where whoever feeds it is killed${exact ? ', for a guest' : ''}`, async () => {
        const script = `
          import { unpackBy } from ${JSON.stringify(join(import.meta.dirname, '../../src/tar/index.ts'))}
          async function* slow() {
            yield Buffer.from(${JSON.stringify(part({ name: 'torn', size: 1_000_000, body: 'x'.repeat(2000) }).toString('base64'))}, 'base64')
            await new Promise((resolve) => setTimeout(resolve, 60_000))
          }
          await unpackBy(${JSON.stringify(program)}, ${JSON.stringify(root)}, slow(), { exact: ${exact} })`
        const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script], { stdio: 'inherit' })
        while (readdirSync(root).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        child.kill('SIGKILL')
        await once(child, 'close')
        while (readdirSync(root).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      })
    }

    it('says that it was killed', async () => {
      async function* killing() {
        yield part({ name: 'one', body: 'x' })
        while (!existsSync(join(root, 'one'))) await new Promise((resolve) => setTimeout(resolve, 5))
        execFileSync('pkill', ['-KILL', '-P', String(process.pid), '-x', 'amux-init'])
        await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
      }
      expect((await failureOf(unpackBy(program, root, killing()))).message).to.include('SIGKILL')
    })

    it('reads nothing where it cannot be started', async () => {
      const plain = join(base, 'plain')
      writeFileSync(plain, 'no program')
      let asked = false
      async function* asking() {
        asked = true
        yield Buffer.alloc(1024)
      }
      for (const path of [plain, join(base, 'none')]) expect(isNotStarted(await failureOf(unpackBy(path, root, asking())))).to.equal(true)
      expect(asked).to.equal(false)
    })

    it('and lets go of a socket, too, where it cannot be started', async () => {
      const busy = join(base, 'busy')
      copyFileSync(program, busy)
      const held = openSync(busy, 'r+')
      try {
        const server = createServer().listen(join(base, 's'))
        const socket = connect(join(base, 's')).pause()
        await once(socket, 'connect')
        server.close()
        const error = await failureOf(unpackFrom(busy, root, socket))
        expect([isNotStarted(error), socket.destroyed]).to.deep.equal([true, true])
      } finally {
        closeSync(held)
      }
    })

    it('takes the last word on a directory that is said twice', async () => {
      const bytes = tar({ name: 'd/', flag: '5', mode: 0o755 }, { name: 'd/e/', flag: '5', mode: 0o755 }, { name: 'd/e/f', body: 'x' }, { name: './d', flag: '5', mode: 0o700 }, { name: 'd-e/', flag: '5', mode: 0o711 })
      for (const exact of [true, false]) {
        await unpackBy(program, root, of(bytes), { exact })
        expect(['d', 'd/e', 'd-e'].map((name) => statSync(join(root, name)).mode & 0o777)).to.deep.equal([0o700, 0o755, 0o711])
      }
    })

    it('takes back a file that is larger than may be', async () => {
      const bytes = tar({ name: 'small', body: 'x' }, { name: 'large', body: Buffer.alloc(2_000_000) })
      const { stderr } = spawnSync('sh', ['-c', `ulimit -f 1000; exec ${program} unpack ${root} exact`], { input: bytes })
      expect(stderr.toString()).to.equal('e#27\0large\0write\0')
      expect(readdirSync(root)).to.deep.equal(['small'])
    })

    if (process.getuid?.() === 0) {
      it('through a directory that may be gone through and not listed', async () => {
        mkdirSync(join(root, 'drop/in'), { recursive: true })
        for (const [path, mode] of [[base, 0o755], [root, 0o711], [join(root, 'drop'), 0o711], [join(root, 'drop/in'), 0o733]] as const) chmodSync(path, mode)
        // Where others can reach it, wherever this repository is.
        const copy = join(base, 'program')
        copyFileSync(program, copy)
        const { status, stderr } = spawnSync(copy, ['unpack', root, 'exact'], { input: tar({ name: 'drop/in/f', body: 'x' }), uid: 65534, gid: 65534 })
        expect([status, stderr.toString()]).to.deep.equal([0, ''])
        expect(statSync(join(root, 'drop/in/f')).uid).to.equal(65534)
      })
    }

    it('tells no names with a zero byte in them, which would be other words', async () => {
      const bytes = tar({ name: 'x', body: 'x', pax: { path: '\u00FF\0why\0p#2\0/x\0spawn\0' } }, { name: 'y', body: 'y' })
      // A byte that is no UTF-8, where the record has two.
      const raw = Buffer.from(bytes.toString('latin1').replace('\u00C3\u00BF', '\u00FFz'), 'latin1')
      const left: string[] = []
      await unpackBy(program, root, of(raw), { onSkipped: (...words) => left.push(words.join(': ')) })
      expect(left).to.deep.equal(['\u00FFz: its name is no UTF-8'])
      expect(readdirSync(root)).to.deep.equal(['y'])
    })

    it('never through a link that appears while it unpacks', async () => {
      const outside = join(base, 'outside')
      mkdirSync(outside)
      async function* raced() {
        yield part({ name: 'd/', flag: '5', mode: 0o755 })
        while (!existsSync(join(root, 'd'))) await new Promise((resolve) => setTimeout(resolve, 5))
        rmSync(join(root, 'd'), { recursive: true })
        symlinkSync(outside, join(root, 'd'))
        yield tar({ name: 'e/f', body: 'x' }, { name: 'd/g', body: 'x' })
      }
      const error = await failureOf(unpackBy(program, root, raced()))
      expect(error.message).to.equal('unpacking stopped at "d/g": it would be written through a link')
      expect(readdirSync(outside)).to.deep.equal([])
      expect(lstatSync(join(root, 'd')).isSymbolicLink()).to.equal(true)
    })
  })
})
