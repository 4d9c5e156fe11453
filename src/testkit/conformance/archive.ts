import assert from 'node:assert/strict'
import { all, pattern, rejects, rejectsNamed, scratch, sh } from './helpers.ts'
import { tarOf } from './tar.ts'
import type { Topic } from './topic.ts'

export const archive: Topic = {
  name: 'archive',
  needs: 'archive',
  use: async (bench) => all((await bench.computer()).archive.read('/etc/hostname')),
  tests: {
    'a tree goes out and comes in the same': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await sh(
        computer,
        'cd "$1" && mkdir -p from/sub/empty && printf hello > from/file && chmod 751 from/sub && printf x > "from/sub/ünï 😀" && chmod 600 from/sub/ü* && ln -s ../file from/sub/link && head -c 300000 /dev/urandom > from/big && : > from/zero',
        directory,
      )
      await sh(computer, 'n=$(printf "l%.0s" $(seq 150)) && mkdir "$1/from/$n" && echo long > "$1/from/$n/$n"', directory)
      await computer.archive.write(`${directory}/to/deep`, computer.archive.read(`${directory}/from`))
      const describe = 'cd "$1" && find . -print0 | sort -z | xargs -0 stat -c "%n %F %a %N" && find . -type f -exec cksum {} + | sort'
      assert.equal(await sh(computer, describe, `${directory}/to/deep`), await sh(computer, describe, `${directory}/from`))
    },
    'it is tar, for others too': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await sh(computer, 'mkdir "$1/d" && echo one > "$1/d/one" && echo two > "$1/d/two"', directory)
      const tar = await all(computer.archive.read(`${directory}/d`))
      await computer.files.write(`${directory}/x.tar`, tar)
      assert.equal(await sh(computer, 'tar tf "$1/x.tar" | sed "s,^\\./,," | grep -v "/$" | sort', directory), 'one\ntwo')
    },
    'a single file is one entry': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await computer.files.write(`${directory}/single`, Buffer.from('alone'))
      await computer.archive.write(`${directory}/out`, computer.archive.read(`${directory}/single`))
      assert.equal(await sh(computer, 'cat "$1/out/single"', directory), 'alone')
    },
    'a link that is named itself gives the file it leads to': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await sh(computer, 'mkdir "$1/d" && echo there > "$1/d/file" && ln -s d/file "$1/link" && ln -s gone "$1/dangling"', directory)
      await computer.archive.write(`${directory}/out`, computer.archive.read(`${directory}/link`))
      assert.equal(await sh(computer, '[ ! -L "$1/out/link" ] && cat "$1/out/link"', directory), 'there')
      await rejects(all(computer.archive.read(`${directory}/dangling`)), 'not_found')
    },
    'a directory that is not its user\'s own takes files, and stays as it is': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      const name = directory.replaceAll('/', '-')
      const before = await sh(computer, 'stat -c "%a %u" /tmp')
      try {
        await computer.archive.write('/tmp', one(tarOf([{ name, data: 'there' }])))
        assert.equal(await sh(computer, 'cat "/tmp/$1"', name), 'there')
        assert.equal(await sh(computer, 'stat -c "%a %u" /tmp'), before)
      } finally {
        await sh(computer, 'rm -f "/tmp/$1"', name)
      }
    },
    'unpacking merges into what is there': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await sh(computer, 'echo kept > "$1/kept"; echo old > "$1/new"', directory)
      await computer.archive.write(directory, one(tarOf([{ name: 'new', data: 'fresh' }, { name: 'a/b/c', data: 'deep' }])))
      assert.equal(await sh(computer, 'cd "$1" && cat kept new a/b/c', directory), 'kept\nfreshdeep')
    },
    'a hostile archive is refused, and reaches nothing outside': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await sh(computer, 'mkdir "$1/in" "$1/out" && ln -s ../out "$1/in/door"', directory)
      const hostile = [
        [{ name: '../escaped', data: 'x' }],
        [{ name: `${directory}/escaped`, data: 'x' }],
        [{ name: 'door/escaped', data: 'x' }],
        [{ name: 'way', link: '../out' }, { name: 'way/escaped', data: 'x' }],
        [{ name: 'device', type: '3' }],
      ] as const
      for (const entries of hostile) {
        await computer.archive.write(`${directory}/in`, one(tarOf(entries))).catch(() => {})
        assert.equal(await sh(computer, 'find "$1" -name "escaped*" ! -path "*/in/way/*"; find "$1/out" -mindepth 1; find "$1" -type b -o -type c', directory), '', JSON.stringify(entries))
      }
      await computer.archive.write(`${directory}/suid`, one(tarOf([{ name: 'tool', data: 'x', mode: 0o4755 }]))).catch(() => {})
      assert.equal(await sh(computer, 'find "$1" -perm -4000', directory), '')
    },
    'what is no archive, or ends too soon, is refused': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await rejectsNamed(computer, computer.archive.write(`${directory}/a`, one(pattern(5000))), 'invalid_argument', 'corrupt')
      const whole = tarOf([{ name: 'big', data: 'x'.repeat(100_000) }])
      await rejects(computer.archive.write(`${directory}/b`, one(whole.subarray(0, 50_000))), 'invalid_argument', 'corrupt')
      await rejects(all(computer.archive.read(`${directory}/none`)), 'not_found')
    },
    'it is given up on request, and left early': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await rejects(all(computer.archive.read('/usr', { signal: AbortSignal.abort() })), 'aborted')
      await sh(computer, 'head -c 30000000 /dev/zero > "$1/big"', directory)
      for await (const chunk of computer.archive.read(directory)) {
        assert.ok(chunk.length > 0)
        break
      }
      assert.equal(await sh(computer, 'echo alive'), 'alive')
    },
    'what is unpacked belongs to the computer\'s user': async (bench) => {
      const computer = await bench.computer()
      const directory = await scratch(computer)
      await computer.archive.write(directory, one(tarOf([{ name: 'd/own', data: 'x', uid: 4242 }])))
      assert.equal(await sh(computer, 'stat -c "%u" "$1/d/own" "$1/d" | sort -u', directory), await sh(computer, 'id -u'))
    },
  },
}

async function* one(data: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < data.length; at += 10_007) yield data.subarray(at, at + 10_007)
}
