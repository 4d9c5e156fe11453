import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { carryFile } from '../../src/sync/carry-file.ts'
import type { Sides } from '../../src/sync/sides.ts'

describe('a file carried between the scratch directories', () => {
  let home: string
  let root: string
  let sent: Buffer | undefined
  const secret = () => join(home, 'secret')
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'amux-carry-'))
    root = join(home, 'project')
    mkdirSync(join(root, '.amux/tmp'), { recursive: true })
    writeFileSync(secret(), 'of this machine')
    sent = undefined
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const computer = {
    files: {
      async *read() {
        yield Buffer.from('from ')
        yield Buffer.from('there')
      },
      async write(_path: string, data: AsyncIterable<Uint8Array>) {
        const parts: Uint8Array[] = []
        for await (const part of data) parts.push(part)
        sent = Buffer.concat(parts)
      },
    },
  } as unknown as Sides

  const carry = (direction: 'push' | 'pull') => carryFile({ computer, here: { root }, there: { root: '/there' }, direction }, '.amux/tmp/pack', new AbortController().signal)
  const failure = (direction: 'push' | 'pull') => carry(direction).then(() => 'carried', (error: { readonly code?: string }) => error.code)

  it('arrives whole, in either direction, whatever was there', async () => {
    writeFileSync(join(root, '.amux/tmp/pack'), Buffer.alloc(600_000, 'x'))
    await carry('push')
    expect(sent?.equals(Buffer.alloc(600_000, 'x'))).to.equal(true)
    await carry('pull')
    expect(readFileSync(join(root, '.amux/tmp/pack'), 'utf8')).to.equal('from there')
    expect(lstatSync(join(root, '.amux/tmp/pack')).mode & 0o777).to.equal(0o600)
    rmSync(join(root, '.amux/tmp'), { recursive: true })
    await carry('pull')
  })

  it('is never what a link in its place leads to', async () => {
    symlinkSync(secret(), join(root, '.amux/tmp/pack'))
    expect(await failure('push')).to.equal('conflict')
    expect(sent).to.equal(undefined)
    await carry('pull')
    expect([readFileSync(secret(), 'utf8'), readFileSync(join(root, '.amux/tmp/pack'), 'utf8')]).to.deep.equal(['of this machine', 'from there'])
  })

  it('never goes through a link on its way, nor to what is no file', async () => {
    mkdirSync(join(root, '.amux/tmp/pack'))
    expect(await failure('push')).to.equal('conflict')
    rmSync(join(root, '.amux/tmp'), { recursive: true })
    mkdirSync(join(home, 'elsewhere'))
    writeFileSync(join(home, 'elsewhere/pack'), 'of this machine')
    symlinkSync(join(home, 'elsewhere'), join(root, '.amux/tmp'))
    expect([await failure('push'), await failure('pull')]).to.deep.equal(['conflict', 'conflict'])
    expect([sent, readFileSync(join(home, 'elsewhere/pack'), 'utf8')]).to.deep.equal([undefined, 'of this machine'])
  })
})
