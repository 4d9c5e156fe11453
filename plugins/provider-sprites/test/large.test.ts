import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import { spriteArchive } from '../src/files/archive.ts'
import { spriteFiles } from '../src/files/files.ts'
import { Client } from '../src/service/client.ts'
import { Sprite } from '../src/sprite.ts'
import { Faults } from './faults.ts'
import { type Lab, contextFor, lab, text } from './support.ts'

const MiB = 1024 * 1024
const SIZE = Number(process.env['AMUX_LARGE_MIB'] ?? 64) * MiB
const block = Buffer.from(Uint8Array.from({ length: MiB }, (_, at) => (at * 31 + (at >> 8)) % 251))

async function* data(size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < size; at += MiB) {
    block.writeUInt32BE(at / MiB, 0)
    yield Buffer.from(block.subarray(0, Math.min(MiB, size - at)))
  }
}

async function digest(source: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of source) hash.update(part)
  return hash.digest('hex')
}

async function code(work: Promise<unknown>): Promise<{ readonly code?: string; readonly message?: string; readonly hint?: string }> {
  return work.then(() => ({}), (error: { readonly code: string; readonly message: string; readonly hint?: string }) => error)
}

describe('large files on a sprite', function () {
  this.timeout(240_000)
  let at: Lab
  let faults: Faults
  let sprite: Sprite
  before(async () => {
    at = await lab(async (url) => {
      faults = await Faults.before(url)
      return faults.url
    })
    sprite = await at.sprite('large')
  })
  after(async () => {
    faults.close()
    at.client.close()
    await at.end()
  })

  /** Past the faults, without connections that are kept from before. */
  async function straight(): Promise<Sprite> {
    return new Sprite('large', new Client({ url: at.url, token: at.token, debug: () => {} }), await contextFor(at.url, at.token, at.dataDir), false)
  }

  async function litter(): Promise<string> {
    return sprite.text(['sh', '-c', 'find "$HOME" \\( -name ".amux-*" -o -path "*/.amux/tmp/*" \\) | head'])
  }

  it('arrive as they were sent, alone and in an archive, and are never held in memory', async () => {
    const direct = await straight()
    const [files, archive] = [spriteFiles(direct), spriteArchive(direct)]
    const wanted = await digest(data(SIZE))
    const before = process.memoryUsage.rss()
    await files.write('in/big', data(SIZE), { parents: true })
    expect(await digest(files.read('in/big'))).to.equal(wanted)
    await archive.write('out', archive.read('in'))
    expect((await direct.text(['sh', '-c', 'sha256sum < "$HOME/out/big"'])).slice(0, 64)).to.equal(wanted)
    // Client and server are both in this process.
    expect(process.memoryUsage.rss() - before).to.be.below(200e6)
    await files.remove('out', { recursive: true })
    direct.client.close()
  })

  it('cut off on their way in: the old file stays, nothing else does, and it works the next time', async () => {
    const files = spriteFiles(sprite)
    await files.write('kept', Buffer.from('old'))
    faults.set({ cutBytes: 5 * MiB })
    const error = await code(files.write('kept', data(20 * MiB)))
    expect(faults.cuts).to.equal(1)
    expect(error).to.include({ code: 'connection_lost' })
    expect(error.hint).to.be.a('string')
    expect(await text(files.read('kept'))).to.equal('old')
    expect(await litter()).to.equal('')
    await files.write('kept', data(20 * MiB))
    expect(await digest(files.read('kept'))).to.equal(await digest(data(20 * MiB)))
  })

  it('cut off on their way out: a part is never taken for the whole, and it works the next time', async () => {
    const files = spriteFiles(sprite)
    await files.write('kept', data(20 * MiB))
    faults.set({ cutBytes: 5 * MiB })
    const error = await code(digest(files.read('kept')))
    expect(error).to.include({ code: 'connection_lost' })
    expect(error.hint).to.be.a('string')
    expect(await digest(files.read('kept'))).to.equal(await digest(data(20 * MiB)))
  })

  it('cut off in an archive, either way: nothing is half there, and it works the next time', async () => {
    const [files, archive] = [spriteFiles(sprite), spriteArchive(sprite)]
    await files.write('tree/kept', data(20 * MiB), { parents: true })
    faults.set({ cutBytes: 5 * MiB })
    expect(await code(digest(archive.read('tree')))).to.include({ code: 'connection_lost' })
    const direct = await straight()
    faults.set({ cutBytes: 5 * MiB })
    expect(await code(archive.write('copy', spriteArchive(direct).read('tree')))).to.include({ code: 'connection_lost' })
    expect(await code(files.stat('copy/kept'))).to.include({ code: 'not_found' })
    expect(await litter()).to.equal('')
    await archive.write('copy', spriteArchive(direct).read('tree'))
    expect(await digest(files.read('copy/kept'))).to.equal(await digest(data(20 * MiB)))
    direct.client.close()
  })
})
