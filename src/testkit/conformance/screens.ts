import assert from 'node:assert/strict'
import type { Attachment } from '../../contract/index.ts'
import { Reader, rejects, type, until } from './helpers.ts'
import type { Topic } from './topic.ts'

const size = { cols: 80, rows: 24 }

export const screens: Topic = {
  name: 'terminal sessions',
  needs: 'sessions',
  use: async (bench) => (await bench.computer()).sessions.list(),
  tests: {
    'an attach shows the screen as it is': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'echo OLD; printf "\\033[2J\\033[5;10HMIDDLE"; read line'], { tty: size, detached: true })
      const { id } = live.session
      assert.deepEqual(live.session.size, size)
      await until('it printed', async () => (await firstScreen(sessions.attach(id, { readOnly: true }))).includes('MIDDLE'))
      const screen = await firstScreen(sessions.attach(id, { size }))
      assert.ok(screen.includes('MIDDLE'), JSON.stringify(screen))
      await sessions.kill(id, { grace: 0 })
      await sessions.remove(id)
    },
    'the session takes the size of who attaches, and of who resizes': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'trap "stty size" WINCH; echo ready; while :; do sleep 0.05; done'], { tty: size, detached: true })
      const { id } = live.session
      await until('it is ready', async () => (await firstScreen(sessions.attach(id, { readOnly: true }))).includes('ready'))
      const owner = await sessions.attach(id, { size: { cols: 71, rows: 19 } })
      const reader = new Reader(owner.stdout)
      await reader.until('19 71')
      await sessions.resize(id, { cols: 90, rows: 33 })
      await reader.until('33 90')
      assert.deepEqual((await sessions.get(id)).size, { cols: 90, rows: 33 })
      await sessions.kill(id, { grace: 0 })
      await sessions.remove(id)
    },
    'keys sent from aside are typed': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'read line; echo "got:$line"; cat'], { tty: size, detached: true })
      const { id } = live.session
      const viewer = await sessions.attach(id, { readOnly: true })
      await sessions.send(id, Buffer.from('words\r'))
      await new Reader(viewer.stdout).until('got:words')
      await sessions.send(id, new Uint8Array(0), { eof: true })
      const { state } = await sessions.wait(id)
      assert.ok(state.status === 'exited' && state.code === 0, JSON.stringify(state))
      await sessions.remove(id)
    },
    'detached and attached again it is the same program': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sh', '-c', 'n=0; while read line; do n=$((n+1)); echo "$n:$line"; done'], { tty: size })
      const { id } = live.session
      await type(live, 'first\r')
      await new Reader(live.stdout).until('1:first')
      await live.detach()
      const back = await sessions.attach(id, { size })
      const reader = new Reader(back.stdout)
      await reader.until('1:first')
      await type(back, 'second\r')
      await reader.until('2:second')
      await sessions.kill(id, { grace: 0 })
      await sessions.remove(id).catch(() => {})
    },
    'without a terminal there is nothing to resize': async (bench) => {
      const { sessions } = await bench.computer()
      const live = await sessions.start(['sleep', '1000'], { detached: true })
      await rejects(sessions.resize(live.session.id, size), 'invalid_argument')
      await sessions.kill(live.session.id, { grace: 0 })
      await sessions.remove(live.session.id)
    },
  },
}

/** What is painted at once; the program prints nothing more meanwhile. */
async function firstScreen(attaching: Promise<Attachment>): Promise<string> {
  const viewer = await attaching
  const iterator = viewer.stdout[Symbol.asyncIterator]()
  const next = await iterator.next()
  await viewer.detach()
  return next.done === true ? '' : Buffer.from(next.value).toString()
}
