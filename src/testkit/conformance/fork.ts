import assert from 'node:assert/strict'
import type { EquippedComputer } from '../../contract/index.ts'
import type { Bench } from './bench.ts'
import { furnish, picture } from './checkpoints.ts'
import { hasCode } from '../../errors/index.ts'
import { rejects, rejectsNamed, scratch, sh } from './helpers.ts'
import type { Topic } from './topic.ts'

async function forked(bench: Bench, origin: EquippedComputer, checkpoint: string, signal?: AbortSignal): Promise<EquippedComputer> {
  const name = bench.name()
  await origin.fork({ name, labels: bench.labels, checkpoint, ...(signal && { signal }) })
  return bench.get(name)
}

/** Computers that begin as another one was. */
export const fork: Topic = {
  name: 'forks',
  needs: 'fork',
  use: async (bench) => {
    const computer = await bench.computer()
    const { id } = await computer.checkpoints.create()
    return computer.fork({ name: bench.name(), labels: bench.labels, checkpoint: id })
  },
  tests: {
    'a fork has the disk of the checkpoint, and what either does later the other does not see': async (bench) => {
      const origin = await bench.create({ env: { FORKED: 'from here' } })
      const dir = await scratch(origin)
      await sh(origin, furnish, dir)
      const wanted = await picture(origin, dir)
      const { id } = await origin.checkpoints.create()
      await sh(origin, 'echo later > "$1/later"', dir)
      const running = await origin.sessions.start(['sleep', '1000'], { detached: true })
      const other = await forked(bench, origin, id)
      const info = await other.info()
      assert.equal(info.state, 'running')
      assert.deepEqual(info.user, (await origin.info()).user)
      assert.equal(await picture(other, dir), wanted)
      assert.equal(await sh(other, 'echo "$FORKED"'), 'from here')
      assert.ok(!(await other.sessions.list()).some(({ id }) => id === running.session.id), 'a session came along')
      assert.equal((await origin.sessions.get(running.session.id)).state.status, 'running', 'the origin did not go on')
      await sh(other, 'echo mine > "$1/mine"; rm "$1/kept/file"', dir)
      assert.equal(await sh(origin, 'cat "$1/kept/file" "$1/later"; ls "$1/mine" 2>/dev/null || echo none', dir), 'same\nlater\nnone')
      const [first] = await other.checkpoints.list()
      assert.ok(first)
      await other.checkpoints.restore(first.id)
      assert.equal(await picture(other, dir), wanted)
      await origin.delete()
      assert.equal(await sh(other, 'cat "$1/kept/file"', dir), 'same', 'a fork depends on its origin')
      await other.delete()
    },
    'a name that is taken is refused, and that computer stays': async (bench) => {
      const [origin, other] = [await bench.create(), await bench.create()]
      const { id } = await origin.checkpoints.create()
      await rejects(origin.fork({ name: other.name, labels: bench.labels, checkpoint: id }), 'already_exists')
      assert.equal(await sh(other, 'echo here'), 'here')
      await rejectsNamed(origin, origin.fork({ name: bench.name(), labels: bench.labels, checkpoint: 'v999' }), 'not_found')
    },
    'one that is given up leaves nothing': async (bench) => {
      const origin = await bench.create()
      await sh(origin, 'head -c 3000000 /dev/urandom > "$HOME/big"')
      const { id } = await origin.checkpoints.create()
      for (const after of [1, 300, 1500]) {
        const name = bench.name()
        const signal = AbortSignal.timeout(after)
        const done = await origin.fork({ name, labels: bench.labels, checkpoint: id, signal }).then(() => true, () => false)
        const there = await bench.get(name).then((computer) => computer.info()).then(() => true, (error: unknown) => !hasCode(error, 'not_found'))
        assert.equal(there, done, `given up after ${after} ms`)
        if (done) await (await bench.get(name)).delete()
      }
    },
  },
}
