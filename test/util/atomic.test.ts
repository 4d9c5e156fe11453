import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeAtomic } from '../../src/util/atomic.ts'

describe('A file written whole', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'amux-atomic-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('is the user\'s alone, in directories that are the user\'s alone', async () => {
    const file = join(directory, 'a/b/file.json')
    await writeAtomic(file, '{}')
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    expect((await stat(join(directory, 'a'))).mode & 0o777).to.equal(0o700)
    await writeAtomic(file, new Uint8Array([0, 255]), { mode: 0o644 })
    expect((await stat(file)).mode & 0o777).to.equal(0o644)
    expect([...(await readFile(file))]).to.deep.equal([0, 255])
  })

  it('is the old one or the new one whenever its writer is killed', async () => {
    const file = join(directory, 'file')
    const text = (letter: string) => letter.repeat(2_000_000)
    const module = join(import.meta.dirname, '../../src/util/atomic.ts')
    const code = `import { writeAtomic } from ${JSON.stringify(module)}
      for (let i = 0; ; i++) { await writeAtomic(${JSON.stringify(file)}, (i % 2 ? 'b' : 'a').repeat(2_000_000)); if (i === 0) console.log('go') }`
    for (let round = 0; round < 5; round++) {
      const writer = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise((resolve) => writer.on('close', resolve))
      await new Promise((resolve) => writer.stdout.once('data', resolve))
      setTimeout(() => writer.kill('SIGKILL'), round * 7)
      await ended
      expect([text('a'), text('b')].includes(await readFile(file, 'utf8'))).to.equal(true)
    }
  })

  it('clears away what a killed writer left long ago, and nothing else', async () => {
    const [old, fresh, other] = ['.file.0123456789ab', '.file.ba9876543210', '.file.notes'].map((name) => join(directory, name)) as [string, string, string]
    for (const name of [old, fresh, other]) await writeFile(name, '')
    for (const name of [old, other]) await utimes(name, 1, 1)
    await writeAtomic(join(directory, 'file'), 'text')
    expect((await readdir(directory)).toSorted()).to.deep.equal(['.file.ba9876543210', '.file.notes', 'file'])
  })

  it('leaves nothing behind when it cannot be written', async () => {
    const failed = await writeAtomic(directory, 'text').catch((error: NodeJS.ErrnoException) => error.code)
    expect(failed).to.be.oneOf(['EISDIR', 'ENOTEMPTY', 'EEXIST'])
    expect(await readdir(join(directory, '..')).then((names) => names.filter((name) => name.includes(directory.split('/').at(-1) ?? '') && name.startsWith('.')))).to.deep.equal([])
  })
})
