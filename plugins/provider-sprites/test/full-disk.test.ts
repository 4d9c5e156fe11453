import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asRoot } from '../../provider-local/test/support.ts'
import { get } from '../../provider-local/test/server/talk.ts'
import { spriteArchive } from '../src/files/archive.ts'
import { spriteCheckpoints } from '../src/checkpoints/checkpoints.ts'
import { spriteFiles } from '../src/files/files.ts'
import { spriteSessions } from '../src/sessions/sessions.ts'
import type { Sprite } from '../src/sprite.ts'
import { type Lab, lab, text } from './support.ts'

const MiB = 1024 * 1024

async function* data(size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < size; at += MiB) yield Buffer.alloc(Math.min(MiB, size - at), 'x')
}

// Only root mounts a disk of a size.
if (asRoot) describe('a sprite whose disk is full', function () {
  this.timeout(120_000)
  let place: string
  let at: Lab
  let sprite: Sprite
  before(async () => {
    place = mkdtempSync(join(tmpdir(), 'amux-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', place])
    at = await lab(undefined, place)
    sprite = await at.sprite('full')
    await spriteFiles(sprite).write('kept', Buffer.from('old'))
    await sprite.text(['sh', '-c', 'head -c 12M /dev/urandom > "$HOME/ballast"'])
  })
  after(async () => {
    at.client.close()
    await at.end()
    execFileSync('umount', [place])
    rmSync(place, { recursive: true })
  })

  async function failure(work: Promise<unknown>): Promise<{ readonly code?: string; readonly message?: string }> {
    return work.then(() => ({}), (error: { readonly code: string; readonly message: string }) => error)
  }

  it('refuses a file, says why, and keeps the old one', async () => {
    const files = spriteFiles(sprite)
    const error = await failure(files.write('kept', data(100 * MiB)))
    expect(error).to.include({ code: 'quota_exceeded' })
    expect(error.message).to.match(/no space left/i)
    expect(await text(files.read('kept'))).to.equal('old')
  })

  it('answers those who know but the API with ENOSPC', async () => {
    const { status, body } = await get<{ code: string }>(at, '/v1/sprites/full/fs/write?path=/tmp/big', { method: 'PUT', body: Buffer.alloc(60 * MiB) })
    expect([status, body.code]).to.deep.equal([507, 'ENOSPC'])
  })

  it('refuses an archive, on its way in and on its way out, and leaves nothing of it', async () => {
    const archive = spriteArchive(sprite)
    await sprite.text(['sh', '-c', 'cd && mkdir -p in && mv ballast in/'])
    async function whole() {
      const parts: Uint8Array[] = []
      for await (const part of archive.read('in')) parts.push(part)
      return Buffer.concat(parts)
    }
    const tar = await whole()
    await sprite.text(['sh', '-c', 'head -c 18M /dev/zero > "$HOME/in/more"'])
    const out = await failure(whole())
    expect(out, out.message).to.include({ code: 'quota_exceeded' })
    const error = await failure(archive.write('copy', (async function* () { yield tar })()))
    expect(error, error.message).to.include({ code: 'quota_exceeded' })
    expect(await sprite.text(['sh', '-c', 'cd; find . -name ".amux-*"; ls .amux/tmp; ls copy 2>/dev/null || :'])).to.equal('')
  })

  it('refuses a checkpoint, says what gives space back, and has the older ones', async () => {
    const checkpoints = spriteCheckpoints(sprite)
    await sprite.text(['sh', '-c', 'cd; rm -f in/more; dd if=/dev/zero of=fill bs=64k 2>/dev/null || :'])
    const error = await failure(checkpoints.create({ message: 'no room' }))
    expect(error, error.message).to.include({ code: 'quota_exceeded' })
    expect(await checkpoints.list()).to.deep.equal([])
    await sprite.text(['sh', '-c', 'rm "$HOME/fill"'])
  })

  it('lets a session go on whose log does not fit any more', async () => {
    const sessions = spriteSessions(sprite)
    await sprite.text(['sh', '-c', 'cd; dd if=/dev/zero of=fill bs=64k 2>/dev/null || :; truncate -s -1000000 fill'])
    const session = await sessions.start(['sh', '-c', 'head -c 6000000 /dev/zero | tr "\\0" y; echo end >&2; exit 3'], {})
    await session.detach()
    const ended = await sessions.wait(session.session.id)
    expect(ended.state).to.include({ status: 'exited', code: 3 })
    await sprite.text(['sh', '-c', 'rm "$HOME/fill"'])
    expect(await get(at, '/v1/sprites')).to.include({ status: 200 })
    await spriteFiles(sprite).write('kept', Buffer.from('new'))
    expect(await text(spriteFiles(sprite).read('kept'))).to.equal('new')
  })
})
