import assert from 'node:assert/strict'
import { outcome, Reader, type } from './helpers.ts'
import type { Topic } from './topic.ts'

const size = { cols: 100, rows: 30 }

export const tty: Topic = {
  name: 'tty',
  needs: 'tty',
  use: async (bench) => (await bench.computer()).spawn(['true'], { tty: size }),
  tests: {
    'a program has a terminal of that size': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', 'test -t 0 && test -t 1 && test -t 2 && stty size'], { tty: size })
      const { exit, stdout } = await outcome(program)
      assert.deepEqual(exit, { code: 0 })
      assert.equal(stdout.toString().trim(), '30 100')
    },
    'stderr is part of stdout': async (bench) => {
      const { stdout, stderr } = await outcome(await (await bench.computer()).spawn(['sh', '-c', 'echo out; echo err >&2'], { tty: size }))
      assert.match(stdout.toString(), /out\r\nerr/)
      assert.equal(stderr.length, 0)
    },
    'TERM is set, and /dev/tty opens': async (bench) => {
      const { stdout } = await outcome(await (await bench.computer()).spawn(['sh', '-c', 'echo "term=$TERM"; echo there >/dev/tty'], { tty: size }))
      assert.match(stdout.toString(), /term=\S+\r\nthere/)
    },
    'a new size is seen at once': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'], { tty: size })
      const reader = new Reader(program.stdout)
      await reader.until('ready')
      await program.resize({ cols: 61, rows: 17 })
      await reader.until('17 61')
      assert.deepEqual(await program.exit, { code: 0 })
    },
    'what is typed arrives, with echo': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', 'read line; echo "got:$line"'], { tty: size })
      const reader = new Reader(program.stdout)
      await type(program, 'héllo wörld\r')
      assert.match(await reader.until('got:héllo wörld'), /héllo wörld\r\n/)
      await reader.rest()
      assert.deepEqual(await program.exit, { code: 0 })
    },
    'Ctrl-C interrupts, Ctrl-D ends the input': async (bench) => {
      const computer = await bench.computer()
      // With a trap, for a shell without one forgets an interrupt that comes while it begins a child.
      const first = await computer.spawn(['sh', '-c', 'trap "exit 130" INT; echo ready; while :; do sleep 0.2; done'], { tty: size })
      await new Reader(first.stdout).until('ready')
      await type(first, '\u0003')
      const exit = await first.exit
      assert.ok(exit.signal === 'SIGINT' || exit.code === 130, JSON.stringify(exit))
      const second = await computer.spawn(['sh', '-c', 'echo ready; cat; echo over'], { tty: size })
      const reader = new Reader(second.stdout)
      await reader.until('ready')
      await type(second, '\u0004')
      await reader.until('over')
      assert.deepEqual(await second.exit, { code: 0 })
    },
    'a shell has job control': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-i'], { tty: size, env: { PS1: 'prompt> ', ENV: '' } })
      const reader = new Reader(program.stdout)
      await reader.until('prompt> ')
      // It waits for one child, rather than making many: a stop between a fork and its program is seen by no shell.
      const job = String.raw`sh -c 'trap "echo c\ontinued" CONT; sleep 1000 < /dev/null > /dev/null 2>&1 & echo u\p; while :; do wait; done'`
      await type(program, `${job}\r`)
      await reader.until(/^up/m)
      await type(program, '\u001a')
      await reader.until(/Stopped|suspended/i)
      await type(program, 'fg\r')
      await reader.until(/^continued/m)
      await type(program, '\u0003')
      await type(program, 'exit 9\r')
      await reader.rest()
      assert.deepEqual(await program.exit, { code: 9 })
    },
    'the last output before the end is not lost': async (bench) => {
      const computer = await bench.computer()
      const results = await Promise.all(
        Array.from({ length: 12 }, async () => outcome(await computer.spawn(['sh', '-c', 'head -c 20000 /dev/zero | tr "\\0" x; printf END'], { tty: size }))),
      )
      for (const { stdout } of results) assert.match(stdout.toString(), /x{20000}END$/)
    },
    'killing it ends what it started': async (bench) => {
      const program = await (await bench.computer()).spawn(['sh', '-c', 'echo ready; sleep 1000'], { tty: size })
      const reader = new Reader(program.stdout)
      await reader.until('ready')
      await program.kill('SIGKILL')
      await program.exit
      await reader.rest()
    },
  },
}
