import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { after, before, describe, it } from 'mocha'
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileList, FileStat } from '../../src/protocol/index.ts'
import { answerOf, query, Solo } from './solo.ts'

const root = process.getuid?.() === 0

describe('files on a computer', () => {
  let solo: Solo
  before(async () => {
    solo = await Solo.open()
  })
  after(() => solo.close())

  const home = (path: string): string => join(solo.home, path)
  const put = (parameters: Record<string, string | number>, body: Uint8Array | string = ''): ReturnType<Solo['call']> => solo.call('PUT', query('/v1/file', parameters), body)
  const get = async (parameters: Record<string, string | number>): Promise<string> => (await solo.call('GET', query('/v1/file', parameters))).body.toString('latin1')

  it('come back byte for byte, whatever their size and name', async () => {
    for (const [name, size] of [['empty', 0], ['one', 1], ['with blank\nand line', 70_000], ['ünïcode 漢字 #?&%', 300_000], ['big', 20_000_000]] as const) {
      const bytes = Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, at) => at)))
      expect((await put({ path: name }, bytes)).status).to.equal(204)
      expect(readFileSync(home(name)).equals(bytes), name).to.equal(true)
      expect((await solo.call('GET', query('/v1/file', { path: name }))).body.equals(bytes), name).to.equal(true)
    }
  })

  it('are read in part', async () => {
    writeFileSync(home('part'), '0123456789')
    expect(await get({ path: 'part', offset: 3 })).to.equal('3456789')
    expect(await get({ path: 'part', offset: 3, length: 2 })).to.equal('34')
    expect(await get({ path: 'part', length: 100 })).to.equal('0123456789')
    expect(await get({ path: 'part', offset: 10 })).to.equal('')
    expect(await get({ path: 'part', offset: 99 })).to.equal('')
    expect(await get({ path: 'part', length: 0 })).to.equal('')
  })

  it('are read where they have no size of their own', async () => {
    expect(await get({ path: '/proc/self/status' })).to.match(/^Name:/)
    expect(await get({ path: '/proc/self/status', length: 4 })).to.equal('Name')
  })

  it('that shrink while they are read are broken off, alone or in an archive', async () => {
    for (const path of [query('/v1/file', { path: 'shrinks' }), query('/v1/archive', { path: 'shrinks' })]) {
      writeFileSync(home('shrinks'), Buffer.alloc(20_000_000))
      const stream = solo.open('GET', path)
      stream.end()
      const answer = answerOf(stream)
      await new Promise<void>((resolve) => stream.once('data', () => resolve(void stream.pause())))
      writeFileSync(home('shrinks'), '')
      stream.resume()
      expect(String(await answer.catch((error: unknown) => error)), path).to.include('broke off with 2')
    }
  })

  it('are written whole or not at all', async () => {
    writeFileSync(home('kept'), 'old')
    const stream = solo.open('PUT', query('/v1/file', { path: 'kept' }))
    stream.write('new, but only half of it')
    for (let seen = false; !seen; await new Promise((resolve) => setTimeout(resolve, 5))) seen = readdirSync(solo.home).some((name) => name.startsWith('.amux-'))
    expect(readFileSync(home('kept'), 'utf8')).to.equal('old')
    stream.destroy()
    for (let seen = true; seen; await new Promise((resolve) => setTimeout(resolve, 5))) seen = readdirSync(solo.home).some((name) => name.startsWith('.amux-'))
    expect(readFileSync(home('kept'), 'utf8')).to.equal('old')
  })

  it('are not replaced by the first half when the connection dies', async () => {
    writeFileSync(home('kept2'), 'old')
    const session = solo.connect()
    const stream = session.request({ ':method': 'PUT', ':path': query('/v1/file', { path: 'kept2' }) })
    stream.on('error', () => undefined)
    stream.write('half')
    for (let seen = false; !seen; await new Promise((resolve) => setTimeout(resolve, 5))) seen = readdirSync(solo.home).some((name) => name.startsWith('.amux-'))
    session.destroy()
    for (let left = true; left; await new Promise((resolve) => setTimeout(resolve, 5))) left = readdirSync(solo.home).some((name) => name.startsWith('.amux-'))
    expect(readFileSync(home('kept2'), 'utf8')).to.equal('old')
  })

  it('keep mode and owner when replaced, and get 644 when new', async () => {
    await put({ path: 'new' }, 'x')
    expect(statSync(home('new')).mode & 0o777).to.equal(0o644)
    await put({ path: 'private', mode: '600' }, 'x')
    expect(statSync(home('private')).mode & 0o777).to.equal(0o600)
    writeFileSync(home('script'), 'x')
    chmodSync(home('script'), 0o751)
    await put({ path: 'script' }, 'y')
    expect(statSync(home('script')).mode & 0o777).to.equal(0o751)
    expect(await solo.refusal('PUT', query('/v1/file', { path: 'x', mode: '9' }))).to.include({ code: 'invalid_argument' })
  })

  it('go through a link to what it names, and the link stays', async () => {
    mkdirSync(home('elsewhere'))
    writeFileSync(home('elsewhere/real'), 'old')
    symlinkSync('elsewhere/real', home('link'))
    await put({ path: 'link' }, 'new')
    expect(readlinkSync(home('link'))).to.equal('elsewhere/real')
    expect(readFileSync(home('elsewhere/real'), 'utf8')).to.equal('new')
    symlinkSync('elsewhere/later', home('dangling'))
    await put({ path: 'dangling' }, 'there')
    expect(readFileSync(home('elsewhere/later'), 'utf8')).to.equal('there')
    symlinkSync('loop', home('loop'))
    expect((await solo.refusal('PUT', query('/v1/file', { path: 'loop' }), 'x')).code).to.equal('conflict')
  })

  it('get their parents when asked to', async () => {
    expect(await solo.refusal('PUT', query('/v1/file', { path: 'a/b/c' }), 'x')).to.deep.include({ code: 'not_found', message: `no such file or directory: ${home('a/b/c')}` })
    expect((await put({ path: 'a/b/c', parents: 1 }, 'x')).status).to.equal(204)
    expect(readFileSync(home('a/b/c'), 'utf8')).to.equal('x')
  })

  if (root) {
    it('belong to the computer\'s user, with everything made on the way, or to the one named', async () => {
      const other = await Solo.open({ user: { name: 'someone', uid: 4321, gid: 8765, home: solo.home } })
      try {
        await other.call('PUT', query('/v1/file', { path: 'theirs/deep/file', parents: 1 }), 'x')
        for (const path of ['theirs', 'theirs/deep', 'theirs/deep/file']) expect(statSync(home(path)), path).to.include({ uid: 4321, gid: 8765 })
        await other.call('PUT', query('/v1/file', { path: 'named', user: '77:88' }), 'x')
        expect(statSync(home('named'))).to.include({ uid: 77, gid: 88 })
        await other.call('PUT', query('/v1/file', { path: 'named' }), 'y')
        expect(statSync(home('named'))).to.include({ uid: 77, gid: 88 })
        await other.call('POST', query('/v1/mkdir', { path: 'made', user: 'root', mode: '750' }))
        expect(statSync(home('made'))).to.include({ uid: 0 })
        expect((await other.refusal('PUT', query('/v1/file', { path: 'x', user: 'nobody-of-that-name' }))).code).to.equal('not_found')
      } finally {
        await other.close()
      }
    })

    it('fail as a whole when the disk is full, and leave the old file and no litter', async () => {
      const disk = home('disk')
      mkdirSync(disk)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
      try {
        writeFileSync(join(disk, 'file'), 'old')
        const refusal = await solo.refusal('PUT', query('/v1/file', { path: join(disk, 'file') }), Buffer.alloc(3_000_000))
        expect(refusal).to.include({ code: 'quota_exceeded', status: 507 })
        expect(refusal.message).to.include('no space left')
        expect(readdirSync(disk)).to.deep.equal(['file'])
        expect(readFileSync(join(disk, 'file'), 'utf8')).to.equal('old')
      } finally {
        execFileSync('umount', [disk])
      }
    })

    it('are overwritten where they are a mount of their own', async () => {
      writeFileSync(home('below'), 'old and longer')
      writeFileSync(home('mounted'), '')
      execFileSync('mount', ['--bind', home('below'), home('mounted')])
      try {
        expect((await put({ path: 'mounted' }, 'new')).status).to.equal(204)
        expect(readFileSync(home('below'), 'utf8')).to.equal('new')
      } finally {
        execFileSync('umount', [home('mounted')])
      }
    })
  }

  it('are described without following a final link', async () => {
    writeFileSync(home('thing'), 'four')
    symlinkSync('thing', home('pointer'))
    const file = await solo.json<FileStat>('GET', query('/v1/stat', { path: 'thing' }))
    expect(file).to.include({ path: home('thing'), type: 'file', size: 4, mode: 0o644 })
    expect(file.mtime).to.equal(Math.floor(lstatSync(home('thing')).mtimeMs))
    expect(await solo.json<FileStat>('GET', query('/v1/stat', { path: 'pointer' }))).to.include({ type: 'link', target: 'thing' })
    expect(await solo.json<FileStat>('GET', query('/v1/stat', { path: '.' }))).to.include({ type: 'directory', path: solo.home })
    expect(await solo.json<FileStat>('GET', query('/v1/stat', { path: '/dev/null' }))).to.include({ type: 'other' })
    expect(await solo.refusal('GET', query('/v1/stat', { path: 'gone' }))).to.deep.include({ code: 'not_found', message: `no such file or directory: ${home('gone')}` })
  })

  it('are listed by name', async () => {
    mkdirSync(home('list'))
    const names = Array.from({ length: 300 }, (_, at) => `f${at}`)
    for (const name of names) writeFileSync(home(`list/${name}`), name)
    const { entries } = await solo.json<FileList>('GET', query('/v1/files', { path: 'list' }))
    expect(entries.map(({ path }) => path)).to.deep.equal(names.toSorted().map((name) => home(`list/${name}`)))
    expect((await solo.refusal('GET', query('/v1/files', { path: 'list/f1' }))).code).to.equal('conflict')
  })

  it('are made, renamed, changed and removed', async () => {
    expect((await solo.call('POST', query('/v1/mkdir', { path: 'dir', mode: '700' }))).status).to.equal(204)
    expect(statSync(home('dir')).mode & 0o777).to.equal(0o700)
    expect((await solo.refusal('POST', query('/v1/mkdir', { path: 'dir' }))).code).to.equal('conflict')
    expect((await solo.call('POST', query('/v1/mkdir', { path: 'dir', parents: 1, mode: '755' }))).status).to.equal(204)
    expect(statSync(home('dir')).mode & 0o777, 'one that is there stays as it is').to.equal(0o700)
    writeFileSync(home('dir/file'), 'x')
    await solo.call('POST', query('/v1/rename', { from: 'dir/file', to: 'dir/renamed' }))
    await solo.call('POST', query('/v1/chmod', { path: 'dir/renamed', mode: '4711' }))
    expect(statSync(home('dir/renamed')).mode & 0o7777).to.equal(0o4711)
    expect((await solo.refusal('DELETE', query('/v1/file', { path: 'dir' }))).code).to.equal('conflict')
    expect((await solo.call('DELETE', query('/v1/file', { path: 'dir', recursive: 1 }))).status).to.equal(204)
    expect(existsSync(home('dir'))).to.equal(false)
    expect((await solo.refusal('DELETE', query('/v1/file', { path: 'dir', recursive: 1 }))).code).to.equal('not_found')
    expect((await solo.refusal('DELETE', query('/v1/file', { path: '/', recursive: 1 }))).code).to.equal('invalid_argument')
  })

  it('that are links are removed as links', async () => {
    mkdirSync(home('target'))
    writeFileSync(home('target/precious'), 'x')
    symlinkSync('target', home('way'))
    await solo.call('DELETE', query('/v1/file', { path: 'way', recursive: 1 }))
    expect(existsSync(home('way'))).to.equal(false)
    expect(existsSync(home('target/precious'))).to.equal(true)
  })

  it('that are no files are refused, and never wait for', async () => {
    execFileSync('mkfifo', [home('pipe')])
    linkSync(home('pipe'), home('pipe2'))
    for (const path of ['pipe', 'target', '/dev/zero', '/']) {
      expect((await solo.refusal('GET', query('/v1/file', { path }))).code, path).to.equal('conflict')
      expect((await solo.refusal('PUT', query('/v1/file', { path }), 'x')).code, path).to.equal('conflict')
    }
    expect((await solo.refusal('GET', query('/v1/file', { path: 'a\0b' }))).code).to.equal('invalid_argument')
    expect((await solo.refusal('GET', query('/v1/file', { path: '' }))).code).to.equal('invalid_argument')
    expect((await solo.refusal('GET', query('/v1/file', { path: 'x'.repeat(300) }))).code).to.equal('invalid_argument')
  })

  it('that are read by somebody who leaves are closed', async () => {
    const count = (): number => readdirSync(`/proc/${solo.process?.pid}/fd`).length
    const before = count()
    for (let round = 0; round < 20; round++) {
      const stream = solo.open('GET', query('/v1/file', { path: 'big' }))
      stream.end()
      await new Promise((resolve) => stream.once('data', resolve))
      // As our client leaves, and as others do.
      if (round % 2 === 0) stream.destroy()
      else stream.close(8)
      await answerOf(stream).catch(() => undefined)
    }
    for (let open = true; open; await new Promise((resolve) => setTimeout(resolve, 5))) open = count() > before
  })
})
