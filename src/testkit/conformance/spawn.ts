import assert from 'node:assert/strict'
import { outcome, rejects, rejectsNamed, run, sh } from './helpers.ts'
import type { Topic } from './topic.ts'

const awkward = ['', ' ', 'a b', '"', "'", `'"'`, '$HOME', '`id`', '$(id)', '*', '~', '\\', '\\n', 'a\nb', '\t', '--', '-n', ';', '&&', '|', '> x', '#', '!', '%s', 'é', '日本語', '😀', '\u001b[31m']

/** Prints its arguments, each ended by a zero byte. */
const echo = ['sh', '-c', 'for a do printf "%s\\0" "$a"; done', 'sh']

export const spawn: Topic = {
  name: 'spawn',
  tests: {
    'argv arrives exactly': async (bench) => {
      const { stdout } = await run(await bench.computer(), [...echo, ...awkward])
      assert.deepEqual(stdout.toString().split('\0').slice(0, -1), awkward)
    },
    'an argument of 100 KB arrives whole': async (bench) => {
      const long = 'äx'.repeat(33_333)
      const { stdout } = await run(await bench.computer(), [...echo, long])
      assert.equal(stdout.toString(), `${long}\0`)
    },
    'no argv, or one that cannot be, is refused': async (bench) => {
      const computer = await bench.computer()
      await rejects(computer.spawn([]), 'invalid_argument')
      await rejects(computer.spawn(['echo', 'zero\0byte']), 'invalid_argument')
    },
    'env is merged over the computer\'s own': async (bench) => {
      const computer = await bench.computer()
      const script = 'printf "%s|%s|%s" "$ONE" "$TWO" "${PATH:+path}${HOME:+home}"'
      const { stdout } = await run(computer, ['sh', '-c', script], { env: { ONE: 'a=b "c"\n$d', TWO: '' } })
      assert.equal(stdout.toString(), 'a=b "c"\n$d||pathhome')
    },
    'env replaces what was there': async (bench) => {
      const { stdout } = await run(await bench.computer(), ['sh', '-c', 'printf %s "$HOME"'], { env: { HOME: '/somewhere else' } })
      assert.equal(stdout.toString(), '/somewhere else')
    },
    'begins in the workspace, else at home': async (bench) => {
      const computer = await bench.computer()
      const { workspace, user } = await computer.info()
      const expected = workspace ?? user?.home
      if (expected === undefined) return assert.ok((await sh(computer, 'pwd')).startsWith('/'))
      assert.equal(await sh(computer, 'pwd -P'), await sh(computer, 'cd "$1" && pwd -P', expected))
    },
    'cwd is absolute, or relative to home': async (bench) => {
      const computer = await bench.computer()
      const { stdout } = await run(computer, ['pwd'], { cwd: '/' })
      assert.equal(stdout.toString().trim(), '/')
      const home = await sh(computer, 'mkdir -p "$HOME/sub dir" && cd && pwd -P')
      const relative = await run(computer, ['sh', '-c', 'pwd -P'], { cwd: 'sub dir' })
      assert.equal(relative.stdout.toString().trim(), `${home}/sub dir`)
    },
    'a cwd that is not there is told before there is a process': async (bench) => {
      const computer = await bench.computer()
      await rejectsNamed(computer, computer.spawn(['true'], { cwd: '/no/such/directory' }), 'not_found')
      await rejects(computer.spawn(['true'], { cwd: '/etc/passwd' }), 'not_found', 'conflict')
    },
    'a program that is not there, or cannot be executed': async (bench) => {
      const computer = await bench.computer()
      await rejectsNamed(computer, computer.spawn(['amux-no-such-program']), 'program_not_found')
      await rejects(computer.spawn(['/no/such/program']), 'program_not_found')
      await rejects(computer.spawn(['/etc/passwd']), 'program_not_executable')
      await rejects(computer.spawn(['/etc']), 'program_not_executable')
    },
    'PATH of the call finds the program': async (bench) => {
      const computer = await bench.computer()
      const directory = await sh(computer, 'd=$(mktemp -d) && printf "#!/bin/sh\\necho found" > "$d/amux-own-tool" && chmod +x "$d/amux-own-tool" && echo "$d"')
      const { stdout } = await run(computer, ['amux-own-tool'], { env: { PATH: `${directory}:/usr/bin:/bin` } })
      assert.equal(stdout.toString(), 'found\n')
    },
    'every exit status comes back': async (bench) => {
      const computer = await bench.computer()
      for (const code of [0, 1, 2, 100, 125, 126, 127, 128, 129, 130, 137, 254, 255]) {
        const { exit } = await run(computer, ['sh', '-c', `exit ${code}`])
        assert.deepEqual(exit, { code }, `exit ${code}`)
      }
    },
    'a death by signal is no exit status': async (bench) => {
      const computer = await bench.computer()
      for (const signal of ['TERM', 'KILL', 'HUP', 'USR1']) {
        const { exit } = await run(computer, ['sh', '-c', `kill -${signal} $$; sleep 10`])
        assert.deepEqual(exit, { signal: `SIG${signal}` }, signal)
      }
    },
    'runs as the computer\'s user': async (bench) => {
      const computer = await bench.computer()
      const { user } = await computer.info()
      if (user === undefined) return
      assert.equal(await sh(computer, 'id -u'), String(user.uid))
      assert.equal(await sh(computer, 'id -g'), String(user.gid))
      assert.equal(await sh(computer, 'cd "$HOME" && pwd -P'), await sh(computer, 'cd "$1" && pwd -P', user.home))
    },
    'runs as another user on request, or refuses': async (bench) => {
      const computer = await bench.computer()
      const { users } = await computer.capabilities()
      const own = (await computer.info()).user
      if (own !== undefined) assert.equal((await run(computer, ['id', '-u'], { user: String(own.uid) })).stdout.toString().trim(), String(own.uid))
      const other = own?.uid === 0 ? '65534' : '0'
      if (users.fidelity === 'unavailable') return rejectsNamed(computer, computer.spawn(['id', '-u'], { user: other }), 'unsupported', 'permission_denied')
      assert.equal((await run(computer, ['id', '-u'], { user: other, cwd: '/' })).stdout.toString().trim(), other)
      assert.equal((await run(computer, ['sh', '-c', 'id -u; id -g'], { user: '0:0', cwd: '/' })).stdout.toString(), '0\n0\n')
      await rejects(computer.spawn(['id'], { user: 'amux-no-such-user' }), 'not_found')
    },
    'kill sends TERM, or what is asked for': async (bench) => {
      const computer = await bench.computer()
      const first = await computer.spawn(['sleep', '1000'])
      await first.kill()
      assert.deepEqual(await first.exit, { signal: 'SIGTERM' })
      const second = await computer.spawn(['sh', '-c', 'trap "echo got; exit 7" USR1; echo ready; while :; do sleep 0.05; done'])
      const [chunk] = await firstChunk(second.stdout)
      assert.equal(chunk, 'ready\n')
      await second.kill('SIGUSR1')
      assert.deepEqual(await second.exit, { code: 7 })
    },
    'killing what ended is no error, an unknown signal is one': async (bench) => {
      const computer = await bench.computer()
      const ended = await computer.spawn(['true'])
      await outcome(ended)
      await ended.kill()
      const living = await computer.spawn(['sleep', '1000'])
      await rejects(living.kill('SIGNONSENSE'), 'invalid_argument')
      await living.kill('SIGKILL')
      assert.deepEqual(await living.exit, { signal: 'SIGKILL' })
    },
    'without a terminal there is nothing to resize': async (bench) => {
      const program = await (await bench.computer()).spawn(['cat'])
      await rejects(program.resize({ cols: 80, rows: 24 }), 'invalid_argument')
      await program.stdin.end()
      await program.exit
    },
    'an aborted signal: before, nothing runs; later, it is killed': async (bench) => {
      const computer = await bench.computer()
      await rejects(computer.spawn(['sleep', '1000'], { signal: AbortSignal.abort() }), 'aborted')
      const controller = new AbortController()
      const program = await computer.spawn(['sh', '-c', 'echo $$; exec sleep 1000'], { signal: controller.signal })
      const [pid] = await firstChunk(program.stdout)
      controller.abort()
      await rejects(program.exit, 'aborted')
      const gone = 'for n in $(seq 200); do kill -0 "$1" 2>/dev/null || exit 0; grep -q "State:.Z" "/proc/$1/status" 2>/dev/null && exit 0; sleep 0.05; done; exit 1'
      await sh(computer, gone, (pid ?? '').trim())
    },
    'a signal that fires after the end changes nothing': async (bench) => {
      const controller = new AbortController()
      const program = await (await bench.computer()).spawn(['sh', '-c', 'exit 5'], { signal: controller.signal })
      const { exit } = await outcome(program)
      controller.abort()
      assert.deepEqual(exit, { code: 5 })
      assert.deepEqual(await program.exit, { code: 5 })
    },
    'many at once do not mix': async (bench) => {
      const computer = await bench.computer()
      const results = await Promise.all(Array.from({ length: 30 }, (_, n) => run(computer, ['sh', '-c', `echo ${n}; echo e${n} >&2; exit ${n}`])))
      for (const [n, { exit, stdout, stderr }] of results.entries()) {
        assert.deepEqual([exit, stdout.toString(), stderr.toString()], [{ code: n }, `${n}\n`, `e${n}\n`])
      }
    },
  },
}

/** The first chunk as text; the source stays open behind it. */
async function firstChunk(source: AsyncIterable<Uint8Array>): Promise<readonly [string | undefined, AsyncIterator<Uint8Array>]> {
  const iterator = source[Symbol.asyncIterator]()
  const next = await iterator.next()
  return [next.done === true ? undefined : Buffer.from(next.value).toString(), iterator]
}
