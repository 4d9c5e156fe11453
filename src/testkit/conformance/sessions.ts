import assert from 'node:assert/strict'
import type { Attachment, Sessions } from '../../contract/index.ts'
import { outcome, Reader, rejects, rejectsNamed, sh, sleep, type, until } from './helpers.ts'
import type { Topic } from './topic.ts'

export const sessions: Topic = {
  name: 'sessions',
  needs: 'sessions',
  use: async (bench) => (await bench.computer()).sessions.list(),
  tests: {
    'a started session is described, listed and got': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sleep', '1000'], { detached: true, name: 'conf-one', labels: { agent: 'none', 'x y': 'ü"' }, cwd: '/' })
      const { session } = live
      assert.match(session.id, /^[a-z0-9-]{1,32}$/)
      const { argv, cwd, tty, state, name, labels, owned, pid } = await sessions.get(session.id)
      assert.deepEqual({ argv: [...argv], cwd, tty, state, name, labels: { ...labels }, owned }, {
        argv: ['sleep', '1000'], cwd: '/', tty: false, state: { status: 'running' }, name: 'conf-one', labels: { agent: 'none', 'x y': 'ü"' }, owned: false,
      })
      assert.ok(pid > 0)
      assert.equal((await sessions.get('conf-one')).id, session.id, 'a living name finds it')
      assert.equal((await sessions.list())[0]?.id, session.id, 'the newest is first')
      await end(sessions, live)
    },
    'a living name is taken, an ended one is free again': async (bench) => {
      const { sessions } = await bench.computer()
      const first = await sessions.start(['sleep', '1000'], { detached: true, name: 'conf-name' })
      await rejects(sessions.start(['true'], { detached: true, name: 'conf-name' }), 'conflict', 'already_exists')
      await sessions.kill(first.session.id, { grace: 0 })
      const second = await sessions.start(['sleep', '1000'], { detached: true, name: 'conf-name' })
      assert.notEqual(second.session.id, first.session.id)
      await end(sessions, second)
      await end(sessions, first)
    },
    'a foreground one gives its output and status, and leaves no record': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'cat; echo err >&2; exit 3'])
      await type(live, 'in')
      await live.stdin.end()
      const { exit, stdout, stderr } = await outcome(live)
      assert.deepEqual([exit, stdout.toString(), stderr.toString()], [{ code: 3 }, 'in', 'err\n'])
      await until('the record is gone', async () => !(await sessions.list()).some(({ id }) => id === live.session.id))
    },
    'ends with its program; what it left behind is heard on': async (bench) => {
      const { sessions } = await bench.computer()
      const script = 'gate=/tmp/conf-$$; echo $gate; { while [ ! -e $gate ]; do sleep 0.1; done; rm $gate; echo late; } & exit 3'
      const live = await sessions.start(['sh', '-c', script], { detached: true })
      const reader = new Reader(live.stdout)
      const gate = /\S+/.exec(await reader.until('\n'))?.[0] ?? ''
      // Its streams are open still: only when the gate opens do they end.
      assert.deepEqual(await live.exit, { code: 3 })
      assert.equal((await sessions.wait(live.session.id)).state.status, 'exited')
      await sh(await bench.computer(), 'touch "$1"', gate)
      assert.ok((await reader.rest()).endsWith('late\n'))
      await end(sessions, live)
    },
    'exit status and output stay after the end, until removed': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'echo kept; exit 42'], { detached: true })
      const { id } = live.session
      await live.detach()
      const ended = await sessions.wait(id)
      assert.ok(ended.state.status === 'exited' && ended.state.code === 42, JSON.stringify(ended.state))
      assert.ok(!Number.isNaN(Date.parse(ended.state.endedAt)))
      const again = await sessions.attach(id, { readOnly: true })
      const { exit, stdout } = await outcome(again)
      assert.deepEqual([exit, stdout.toString()], [{ code: 42 }, 'kept\n'])
      await sessions.remove(id)
      await rejects(sessions.get(id), 'not_found')
    },
    'detaching leaves it running; attaching goes on where it was': async (bench) => {
      const { sessions } = await bench.computer()
      const script = 'echo before; while read line; do echo "got:$line"; done'
      const live = await sessions.start(['sh', '-c', script])
      const { id } = live.session
      await new Reader(live.stdout).until('before\n')
      await live.detach()
      await live.detach()
      await until('nobody owns it', async () => !(await sessions.get(id)).owned)
      await sessions.send(id, Buffer.from('meanwhile\n'))
      const back = await sessions.attach(id)
      const reader = new Reader(back.stdout)
      await reader.until('got:meanwhile\n')
      await type(back, 'again\n')
      await reader.until('got:again\n')
      await back.stdin.end()
      assert.deepEqual(await back.exit, { code: 0 })
      await forget(sessions, id)
    },
    'attaching from an offset gives exactly the rest': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'printf 0123456789; printf abcdef >&2'], { detached: true })
      const { id } = live.session
      await sessions.wait(id)
      const { stdout, stderr } = await outcome(await sessions.attach(id, { readOnly: true, from: { stdout: 4, stderr: 6 } }))
      assert.deepEqual([stdout.toString(), stderr.toString()], ['456789', ''])
      await end(sessions, live)
    },
    'the second owner takes over, the first is told and goes on looking': async (bench) => {
      const { sessions } = await bench.computer()
      const first = await sessions.start(['sh', '-c', 'while read line; do echo "got:$line"; done'])
      const told = new Promise<void>((resolve) => (first.onDisowned = resolve))
      const second = await sessions.attach(first.session.id)
      await told
      const [one, two] = [new Reader(first.stdout), new Reader(second.stdout)]
      await type(second, 'hello\n')
      await Promise.all([one.until('got:hello'), two.until('got:hello')])
      await end(sessions, second)
    },
    'a viewer that only looks cannot type, resize or slow it': async (bench) => {
      const { sessions } = await bench.computer()
      const owner = await sessions.start(['sh', '-c', 'read line; echo "got:$line"; head -c 20000000 /dev/zero; echo finished >&2'])
      const viewer = await sessions.attach(owner.session.id, { readOnly: true })
      await viewer.stdin.write(Buffer.from('from the viewer\n')).catch(() => {})
      await type(owner, 'from the owner\n')
      const reader = new Reader(owner.stderr)
      const drain = (async () => {
        let text = ''
        for await (const chunk of owner.stdout) text ||= Buffer.from(chunk).toString().slice(0, 40)
        return text
      })()
      await reader.until('finished')
      assert.match(await drain, /^got:from the owner\n/)
      assert.deepEqual(await owner.exit, { code: 0 })
      await viewer.detach()
    },
    'input is sent from aside, and ended': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['cat'], { detached: true })
      const { id } = live.session
      await sessions.send(id, Buffer.from('one '))
      await sessions.send(id, chunksOf('two ', 'three'), { eof: true })
      const ended = await sessions.wait(id)
      assert.ok(ended.state.status === 'exited' && ended.state.code === 0)
      const { stdout } = await outcome(await sessions.attach(id, { readOnly: true }))
      assert.equal(stdout.toString(), 'one two three')
      await end(sessions, live)
    },
    'stdin: false is an end of input at once': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'cat; echo over'], { detached: true, stdin: false })
      assert.equal((await sessions.wait(live.session.id)).state.status, 'exited')
      await end(sessions, live)
    },
    'a signal goes to it, and no further': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done'], { detached: true })
      const { id } = live.session
      const viewer = await sessions.attach(id, { readOnly: true })
      const reader = new Reader(viewer.stdout)
      await reader.until('ready')
      await sessions.signal(id, 'SIGHUP')
      await reader.until('hup')
      assert.equal((await sessions.get(id)).state.status, 'running')
      await rejects(sessions.signal(id, 'SIGNONSENSE'), 'invalid_argument')
      await end(sessions, live)
    },
    'kill ends everything, also what ignores TERM and what hides': async (bench) => {
      const computer = await bench.computer()
      const { sessions } = computer
      const script = 'trap "" TERM; (setsid sh -c \'trap "" TERM HUP; echo "daemon $$"; while :; do sleep 0.2; done\' &); echo ready; while :; do sleep 0.1; done'
      const live = await sessions.start(['sh', '-c', script], { detached: true })
      const viewer = await sessions.attach(live.session.id, { readOnly: true })
      const daemon = /daemon (\d+)/.exec(await new Reader(viewer.stdout).until(/daemon \d+[^]*ready|ready[^]*daemon \d+/))?.[1] ?? ''
      const ended = await sessions.kill(live.session.id, { grace: 300 })
      assert.ok(ended.state.status === 'killed' && ended.state.signal === 'SIGKILL', JSON.stringify(ended.state))
      const alive = 'kill -0 "$1" 2>/dev/null && ! grep -q "State:.Z" "/proc/$1/status" && echo alive || echo gone'
      await until('the daemon is gone', async () => (await sh(computer, alive, daemon)) === 'gone')
      await end(sessions, live)
    },
    'kill begins gently, or with the signal asked for': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'trap "exit 11" INT; while :; do sleep 0.05; done'], { detached: true })
      await sleep(100)
      const { state } = await sessions.kill(live.session.id, { signal: 'SIGINT' })
      assert.ok(state.status === 'exited' && state.code === 11, JSON.stringify(state))
      await end(sessions, live)
    },
    'an aborted attach leaves it running, an aborted start ends it': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sleep', '1000'], { detached: true })
      const controller = new AbortController()
      const viewer = await sessions.attach(live.session.id, { signal: controller.signal })
      controller.abort()
      await rejects(viewer.exit, 'aborted')
      assert.equal((await sessions.get(live.session.id)).state.status, 'running')
      await end(sessions, live)
      const other = new AbortController()
      const started = await sessions.start(['sleep', '1000'], { signal: other.signal })
      other.abort()
      await rejects(started.exit, 'aborted')
      await until('it ended', async () => {
        const found = (await sessions.list()).find(({ id }) => id === started.session.id)
        return found === undefined || found.state.status !== 'running'
      })
      await forget(sessions, started.session.id)
    },
    'waiting is given up on request': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sleep', '1000'], { detached: true })
      await rejects(sessions.wait(live.session.id, { signal: AbortSignal.timeout(50) }), 'timeout', 'aborted')
      await end(sessions, live)
    },
    'a running one is not removed, an unknown one is not found': async (bench) => {
      const computer = await bench.computer()
      const { sessions } = computer
      const live = await sessions.start(['sleep', '1000'], { detached: true })
      await rejectsNamed(computer, sessions.remove(live.session.id), 'conflict')
      await end(sessions, live)
      for (const work of [
        () => sessions.get('no-such'), () => sessions.attach('no-such'), () => sessions.kill('no-such'), () => sessions.wait('no-such'),
        () => sessions.remove('no-such'), () => sessions.send('no-such', Buffer.from('x')), () => sessions.signal('no-such', 'SIGTERM'),
        () => sessions.resize('no-such', { cols: 80, rows: 24 }), () => sessions.get('../../etc'),
      ]) await rejectsNamed(computer, work(), 'not_found')
    },
    'a program that is not there starts no session': async (bench) => {
      const { sessions } = await bench.computer()
      const before = (await sessions.list()).length
      await rejects(sessions.start(['amux-no-such-program'], { detached: true }), 'program_not_found')
      await rejects(sessions.start(['true'], { detached: true, cwd: '/no/such' }), 'not_found')
      assert.equal((await sessions.list()).length, before)
    },
    'what lives when the computer stops is listed as stopped': async (bench) => {
      const computer = await bench.create()
      const { sessions } = computer
      const live = await sessions.start(['sleep', '1000'], { detached: true })
      const stopped = await computer.stop().then(() => true, () => false)
      if (stopped) {
        await computer.start()
        const { state } = await sessions.get(live.session.id)
        assert.ok(state.status === 'ended' && state.reason === 'stopped', JSON.stringify(state))
        await sessions.remove(live.session.id)
      }
      await computer.delete()
    },
  },
}

async function end(sessions: Sessions, { session: { id } }: Attachment): Promise<void> {
  await sessions.kill(id, { grace: 0 }).catch(() => {})
  await forget(sessions, id)
}

async function forget(sessions: Sessions, id: string): Promise<void> {
  await sessions.remove(id).catch(() => {})
}

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield Buffer.from(text)
}
