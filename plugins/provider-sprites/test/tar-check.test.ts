import { expect } from 'chai'
import { describe, it } from 'mocha'
import { checkTar } from '../src/files/tar-check.ts'

interface Fields {
  readonly kind?: string
  readonly target?: string
  readonly body?: Buffer | string
  /** As it stands in the header, where it is not the body's. */
  readonly size?: string | Buffer
  readonly prefix?: string
  readonly magic?: string
}

function entry(name: string, { kind = '0', target = '', body = '', size, prefix = '', magic = 'ustar\x0000' }: Fields = {}): Buffer {
  const content = typeof body === 'string' ? Buffer.from(body) : body
  const block = Buffer.alloc(512)
  block.write(name, 0)
  block.write('0000644\x000000000\x000000000\0', 100)
  if (typeof size === 'object') size.copy(block, 124)
  else block.write(size ?? content.length.toString(8).padStart(11, '0'), 124)
  block.write('00000000000\0', 136)
  block.write(kind, 156)
  block.write(target, 157)
  block.write(magic, 257, 'latin1')
  block.write(prefix, 345)
  block.write('        ', 148)
  block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0`, 148)
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

function pax(...records: readonly (readonly [string, string])[]): string {
  return records.map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = Buffer.byteLength(rest) + 1
    while (length !== Buffer.byteLength(rest) + String(length).length) length = Buffer.byteLength(rest) + String(length).length
    return `${length}${rest}`
  }).join('')
}

const extended = (...records: readonly (readonly [string, string])[]) => entry('pax', { kind: 'x', body: pax(...records) })
const end = Buffer.alloc(1024)

async function check(parts: readonly Buffer[], piece = 700): Promise<string> {
  const whole = Buffer.concat(parts)
  async function* pieces() {
    for (let at = 0; at < whole.length; at += piece) yield whole.subarray(at, at + piece)
  }
  const got: Uint8Array[] = []
  try {
    for await (const part of checkTar(pieces())) got.push(part)
  } catch (error) {
    expect(error).to.include({ code: 'invalid_argument' })
    return (error as Error).message
  }
  expect(Buffer.concat(got).equals(whole)).to.equal(true)
  return 'fine'
}

describe('an archive on its way to a sprite', () => {
  const long = `${'d/'.repeat(80)}file`
  it('passes as it is where nothing is wrong with it, in pieces of any size', async () => {
    const fine = [
      entry('dir/', { kind: '5' }),
      entry('dir/file', { body: 'x'.repeat(1000) }),
      entry('name', { prefix: 'a/b' }),
      entry('old', { magic: 'ustar  \0', prefix: '\x01\x02' }),
      extended(['path', long], ['mtime', '1.5'], ['size', '3']), entry('short', { body: 'abc', size: '00000000000' }),
      entry('././@LongLink', { kind: 'L', body: `${long}\0` }), entry('././@LongLink', { kind: 'K', body: `/${long}\0` }), entry('s', { kind: '2', target: 'x' }),
      entry('absolute', { kind: '2', target: '/usr/bin/python3' }),
      entry('hard', { kind: '1', target: 'dir/file' }),
      entry('g', { kind: 'g', body: pax(['comment', 'made by git']) }),
      entry('last', { size: Buffer.from('80000000000000000000000a', 'hex'), body: '0123456789' }),
      end,
    ]
    for (const piece of [1, 511, 512, 513, 100_000]) expect(await check(fine, piece), String(piece)).to.equal('fine')
  })

  for (const [what, parts, said] of [
    ['a name that leads out', [entry('../x')], /leave/],
    ['a name that leads out further in', [entry('a/../../x')], /leave/],
    ['an absolute name', [entry('/etc/passwd')], /leave/],
    ['a name made whole by a prefix', [entry('x', { prefix: '..' })], /leave/],
    ['an absolute name behind what is no prefix', [entry('/x', { magic: 'ustar  \0', prefix: 'a' })], /leave/],
    ['a name hidden in a PAX header', [extended(['path', '../x']), entry('fine')], /leave/],
    ['a name hidden behind another in a PAX header', [extended(['path', 'fine'], ['path', '/x']), entry('fine')], /two of a kind/],
    ['a name hidden in a GNU header', [entry('L', { kind: 'L', body: '../x\0' }), entry('fine')], /leave/],
    ['a GNU and a PAX header that differ', [entry('L', { kind: 'L', body: 'a\0' }), extended(['path', 'b']), entry('fine')], /two of a kind/],
    ['a NUL in a name', [extended(['path', 'a\0/../b']), entry('fine')], /leave/],
    ['a hard link that leads out', [entry('h', { kind: '1', target: '../x' })], /leave/],
    ['a hard link that leads out by a PAX header', [extended(['linkpath', '/etc/shadow']), entry('h', { kind: '1', target: 'fine' })], /leave/],
    ['a hard link that leads out by a GNU header', [entry('K', { kind: 'K', body: '/etc/shadow\0' }), entry('h', { kind: '1', target: 'fine' })], /leave/],
    ['a name for all entries', [entry('g', { kind: 'g', body: pax(['path', 'x']) }), entry('fine')], /not understood: "path"/],
    ['a sparse file by a name of its own', [extended(['GNU.sparse.name', '/x']), entry('fine')], /not understood/],
    ['contents behind a hard link', [entry('h', { kind: '1', target: 'fine', body: entry('../x') })], /has contents/],
    ['contents behind a link', [entry('s', { kind: '2', target: 'fine', body: entry('../x') })], /has contents/],
    ['an entry hidden by a size in a PAX header', [extended(['size', '0']), entry('a', { body: entry('../x') })], /leave/],
    ['a size that is none', [entry('a', { size: 'zzzzzzzzzzz' })], /no sense/],
    ['a negative size', [entry('a', { size: Buffer.alloc(12, 0xff) })], /no sense/],
    ['a size beyond all', [entry('a', { size: Buffer.from('80010000000000000000000a', 'hex') })], /no sense/],
    ['a device', [entry('d', { kind: '3' })], /no file, directory or link/],
    ['a pipe', [entry('d', { kind: '6' })], /no file, directory or link/],
    ['a kind nobody knows', [entry('d', { kind: 'V' })], /no file, directory or link/],
    ['a huge PAX header', [entry('x', { kind: 'x', size: '00010000000' })], /too long/],
    ['a huge GNU name', [entry('L', { kind: 'L', size: '77777777777' })], /too long/],
    ['a name longer than any path', [extended(['path', 'a/'.repeat(3000)]), entry('fine')], /too long/],
    ['a PAX header that goes on behind its end', [entry('x', { kind: 'x', body: '99 path=a\n' }), entry('fine')], /no sense/],
    ['a PAX header that does not move on', [entry('x', { kind: 'x', body: '0 path=a\n' }), entry('fine')], /no sense/],
    ['what is no archive', [Buffer.alloc(2048, 'x')], /no archive/],
  ] as const) {
    it(`is refused for ${what}`, async () => {
      for (const piece of [100, 512, 100_000]) expect(await check([...parts, end], piece)).to.match(said)
    })
  }

  it('is refused where it ends too soon', async () => {
    for (const parts of [[], [entry('a', { body: 'x' })], [entry('a', { size: '00000002000' }), Buffer.alloc(600)], [entry('a').subarray(0, 300)]]) expect(await check(parts)).to.match(/refused/)
  })
})
