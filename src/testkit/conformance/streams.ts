import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { all, outcome, pattern, Reader, rejects, run, sleep, type } from './helpers.ts'
import type { Topic } from './topic.ts'

export const streams: Topic = {
  name: 'streams',
  tests: {
    'binary passes both ways unchanged': async (bench) => {
      const data = pattern(3 * 1024 * 1024 + 7)
      const program = await (await bench.computer()).spawn(['cat'])
      const reading = outcome(program)
      for (let at = 0; at < data.length; at += 100_003) await program.stdin.write(data.subarray(at, at + 100_003))
      await program.stdin.end()
      const { exit, stdout } = await reading
      assert.deepEqual(exit, { code: 0 })
      assert.ok(stdout.equals(data), `${stdout.length} of ${data.length} bytes, or other ones`)
    },
    'stdout and stderr stay apart': async (bench) => {
      const { stdout, stderr } = await run(await bench.computer(), ['sh', '-c', 'printf out; printf err >&2; printf OUT'])
      assert.deepEqual([stdout.toString(), stderr.toString()], ['outOUT', 'err'])
    },
    'a program that reads no input gets by without': async (bench) => {
      const computer = await bench.computer()
      const program = await computer.spawn(['sh', '-c', 'exec <&-; echo done'])
      await program.stdin.write(pattern(10)).catch(() => {})
      const { exit, stdout } = await outcome(program)
      assert.deepEqual([exit, stdout.toString()], [{ code: 0 }, 'done\n'])
    },
    'end of input is a half-close: output still comes': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', 'cat >/dev/null; echo after'])
      await type(program, 'x')
      await program.stdin.end()
      await program.stdin.end()
      assert.equal((await outcome(program)).stdout.toString(), 'after\n')
    },
    'input goes on while output is read': async (bench) => {
      const program = await (await bench.computer()).spawn(['cat'])
      const reader = new Reader(program.stdout)
      for (const word of ['one\n', 'two\n', 'three\n']) {
        await type(program, word)
        await reader.until(word)
      }
      await program.stdin.end()
      await reader.rest()
      assert.deepEqual(await program.exit, { code: 0 })
    },
    'much output arrives whole': async (bench) => {
      const computer = await bench.computer()
      const size = 48 * 1024 * 1024
      const program = await computer.spawn(['sh', '-c', `i=0; head -c ${size} /dev/zero | tr '\\0' 'x'`])
      const hash = createHash('sha256')
      let length = 0
      for await (const chunk of program.stdout) {
        hash.update(chunk)
        length += chunk.length
      }
      assert.equal(length, size)
      assert.equal(hash.digest('hex'), createHash('sha256').update(Buffer.alloc(size, 'x')).digest('hex'))
      assert.deepEqual(await program.exit, { code: 0 })
    },
    'a reader that stops stops the program, and loses nothing': async (bench) => {
      const computer = await bench.computer()
      const size = 64 * 1024 * 1024
      const program = await computer.spawn(['sh', '-c', `head -c ${size} /dev/zero; echo written >&2`])
      const iterator = program.stdout[Symbol.asyncIterator]()
      let length = (await iterator.next()).value?.length ?? 0
      const written = new Reader(program.stderr).until('written').then(() => true)
      const early = await Promise.race([written, sleep(700).then(() => false)])
      assert.equal(early, false, 'the program wrote 64 MB that nobody read: somebody keeps them')
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) length += next.value.length
      assert.equal(length, size)
      assert.ok(await written)
      assert.deepEqual(await program.exit, { code: 0 })
    },
    'a program that does not read holds up its writer': async (bench) => {
      const computer = await bench.computer()
      const program = await computer.spawn(['sh', '-c', 'read line; cat >/dev/null; echo read all'])
      const reading = outcome(program)
      await type(program, 'go\n')
      for (let n = 0; n < 64; n++) await program.stdin.write(pattern(64 * 1024))
      await program.stdin.end()
      assert.equal((await reading).stdout.toString(), 'read all\n')
    },
    'leaving the output early does not disturb the rest': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', 'echo first; sleep 0.1; echo e >&2; exit 3'])
      for await (const chunk of program.stdout) {
        assert.ok(chunk.length > 0)
        break
      }
      assert.equal((await all(program.stderr)).toString(), 'e\n')
      const exit = await program.exit
      assert.ok(exit.code === 3 || exit.signal === 'SIGPIPE', JSON.stringify(exit))
    },
    'nobody has to read: a short program ends anyway': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', 'echo out; echo err >&2; exit 4'])
      assert.deepEqual(await program.exit, { code: 4 })
    },
    'exit does not wait for a child that keeps the output': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', '(sleep 0.5; echo late) & exit 6'])
      const reader = new Reader(program.stdout)
      assert.deepEqual(await program.exit, { code: 6 })
      assert.equal(await reader.rest(), 'late\n')
    },
    'writing to what has ended fails': async (bench) => {
      const program = await (await bench.computer()).spawn(['true'])
      await outcome(program)
      const write = async () => {
        for (let n = 0; n < 100; n++) {
          await program.stdin.write(pattern(64 * 1024))
          await sleep(10)
        }
      }
      await rejects(write(), 'conflict', 'connection_lost', 'not_running', 'failed')
    },
    'many short programs lose no last word': async (bench) => {
      const computer = await bench.computer()
      for (let round = 0; round < 8; round++) {
        const results = await Promise.all(Array.from({ length: 10 }, () => run(computer, ['sh', '-c', 'head -c 3000 /dev/zero; printf end'])))
        for (const { stdout } of results) assert.equal(stdout.length, 3003)
      }
    },
  },
}
