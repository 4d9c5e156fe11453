import assert from 'node:assert/strict'
import { all, pattern, rejects, rejectsNamed, scratch, sh } from './helpers.ts'
import type { Topic } from './topic.ts'

export const files: Topic = {
  name: 'files',
  needs: 'files',
  use: async (bench) => (await bench.computer()).files.stat('/'),
  tests: {
    'what is written is read, byte for byte': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      const data = pattern(2_500_003)
      await files.write(`${directory}/data`, data)
      assert.ok((await all(files.read(`${directory}/data`))).equals(data))
      await files.write(`${directory}/data`, pieces(data))
      assert.ok((await all(files.read(`${directory}/data`))).equals(data))
      await files.write(`${directory}/empty`, new Uint8Array(0))
      assert.equal((await all(files.read(`${directory}/empty`))).length, 0)
      assert.equal(await sh(computer, 'wc -c < "$1"', `${directory}/data`), '2500003')
    },
    'a part is read by offset and length': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const path = `${await scratch(computer)}/part`
      await files.write(path, Buffer.from('0123456789'))
      const read = async (options: { offset?: number; length?: number }) => (await all(files.read(path, options))).toString()
      assert.equal(await read({ offset: 4 }), '456789')
      assert.equal(await read({ length: 3 }), '012')
      assert.equal(await read({ offset: 8, length: 100 }), '89')
      assert.equal(await read({ offset: 100 }), '')
      assert.equal(await read({ length: 0 }), '')
    },
    'names may be anything but a zero byte': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      const names = ['a b', 'quote"\'', '-dash', 'new\nline', 'ünï', '😀', '%2F&?=#', '$HOME', '*']
      for (const name of names) await files.write(`${directory}/${name}`, Buffer.from(name))
      const found = (await files.list(directory)).map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
      assert.deepEqual(found.toSorted(), names.toSorted())
      for (const name of names) assert.equal((await all(files.read(`${directory}/${name}`))).toString(), name)
    },
    'stat tells type, size, mode, owner and time, and does not follow a link': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      await sh(computer, 'cd "$1" && printf 12345 > file && chmod 640 file && ln -s file link && mkdir dir && ln -s nowhere dangling && mkfifo pipe', directory)
      const file = await files.stat(`${directory}/file`)
      const { type, size, mode, uid } = file
      assert.deepEqual({ type, size, mode, uid: String(uid) }, { type: 'file', size: 5, mode: 0o640, uid: await sh(computer, 'id -u') })
      assert.ok(Math.abs(file.mtime / 1000 - Number(await sh(computer, 'date +%s'))) < 3600, `mtime ${file.mtime}`)
      const link = await files.stat(`${directory}/link`)
      assert.deepEqual([link.type, link.target], ['link', 'file'])
      assert.equal((await files.stat(`${directory}/dangling`)).type, 'link')
      assert.equal((await files.stat(`${directory}/dir`)).type, 'directory')
      assert.equal((await files.stat(`${directory}/pipe`)).type, 'other')
      assert.deepEqual((await files.list(directory)).map((entry) => entry.type), ['link', 'directory', 'file', 'link', 'other'], 'by name')
    },
    'relative paths begin at home': async (bench) => {
      const computer = await bench.computer()
      await computer.files.write('amux-conf-relative', Buffer.from('x'))
      assert.equal(await sh(computer, 'cat "$HOME/amux-conf-relative" && rm "$HOME/amux-conf-relative"'), 'x')
    },
    'a new file gets its mode, an old one keeps it': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      await files.write(`${directory}/plain`, Buffer.from('x'))
      assert.equal((await files.stat(`${directory}/plain`)).mode, 0o644)
      await files.write(`${directory}/script`, Buffer.from('x'), { mode: 0o750 })
      assert.equal((await files.stat(`${directory}/script`)).mode, 0o750)
      await files.write(`${directory}/script`, Buffer.from('y'))
      assert.equal((await files.stat(`${directory}/script`)).mode, 0o750)
      await files.chmod(`${directory}/script`, 0o600)
      assert.equal((await files.stat(`${directory}/script`)).mode, 0o600)
    },
    'files belong to the computer\'s user': async (bench) => {
      const computer = await bench.computer()
      const path = `${await scratch(computer)}/own`
      await computer.files.write(path, Buffer.from('x'))
      assert.equal(String((await computer.files.stat(path)).uid), await sh(computer, 'id -u'))
    },
    'directories above are made on request only': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      await rejectsNamed(computer, files.write(`${directory}/a/b/c`, Buffer.from('x')), 'not_found')
      await files.write(`${directory}/a/b/c`, Buffer.from('x'), { parents: true })
      assert.equal((await all(files.read(`${directory}/a/b/c`))).toString(), 'x')
      await rejects(files.mkdir(`${directory}/x/y`), 'not_found')
      await files.mkdir(`${directory}/x/y`, { parents: true, mode: 0o700 })
      assert.equal((await files.stat(`${directory}/x/y`)).mode, 0o700)
      await rejects(files.mkdir(`${directory}/x`), 'conflict')
      await files.mkdir(`${directory}/x`, { parents: true })
    },
    'a write that breaks off leaves the old file whole': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      await files.write(`${directory}/file`, Buffer.from('old'))
      await assert.rejects(files.write(`${directory}/file`, breaking()), /broke on purpose/)
      assert.equal((await all(files.read(`${directory}/file`))).toString(), 'old')
      await rejects(files.write(`${directory}/file`, endless(), { signal: AbortSignal.timeout(150) }), 'timeout', 'aborted')
      assert.equal((await all(files.read(`${directory}/file`))).toString(), 'old')
      assert.deepEqual((await files.list(directory)).length, 1, 'something is left over')
    },
    'rename moves and replaces': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      await files.write(`${directory}/one`, Buffer.from('1'))
      await files.write(`${directory}/two`, Buffer.from('2'))
      await files.rename(`${directory}/one`, `${directory}/two`)
      assert.equal((await all(files.read(`${directory}/two`))).toString(), '1')
      await rejects(files.stat(`${directory}/one`), 'not_found')
      await rejects(files.rename(`${directory}/none`, `${directory}/x`), 'not_found')
    },
    'a full directory is removed on request only, links are not followed': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      await sh(computer, 'cd "$1" && mkdir -p full/sub outside && echo x > full/sub/f && echo y > outside/kept && ln -s ../outside full/link', directory)
      await rejectsNamed(computer, files.remove(`${directory}/full`), 'conflict')
      await files.remove(`${directory}/full`, { recursive: true })
      assert.equal(await sh(computer, 'cat "$1/outside/kept"; ls "$1"', directory), 'y\noutside')
      await rejects(files.remove(`${directory}/full`), 'not_found')
    },
    'failures have their code': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const directory = await scratch(computer)
      await rejectsNamed(computer, all(files.read(`${directory}/none`)), 'not_found')
      await rejectsNamed(computer, files.stat(`${directory}/none`), 'not_found')
      await rejects(files.list(`${directory}/none`), 'not_found')
      await rejects(all(files.read(directory)), 'conflict')
      await rejects(files.write(directory, Buffer.from('x')), 'conflict')
      await rejects(files.chmod(`${directory}/none`, 0o600), 'not_found')
      await rejects(files.write('/proc/amux-conf', Buffer.from('x')), 'permission_denied', 'not_found')
    },
    'a read is left early': async (bench) => {
      const computer = await bench.computer()
      const path = `${await scratch(computer)}/sparse`
      await sh(computer, 'truncate -s 1G "$1"', path)
      for await (const chunk of computer.files.read(path)) {
        assert.ok(chunk.length > 0)
        break
      }
      assert.equal(await sh(computer, 'echo alive'), 'alive')
    },
  },
}

async function* pieces(data: Buffer): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < data.length; at += 65_537) yield data.subarray(at, at + 65_537)
}

async function* breaking(): AsyncGenerator<Uint8Array, void> {
  yield pattern(100_000)
  throw new Error('broke on purpose')
}

async function* endless(): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    yield pattern(1000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
