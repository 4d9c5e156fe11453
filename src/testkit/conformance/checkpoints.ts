import assert from 'node:assert/strict'
import type { CheckpointChange, EquippedComputer } from '../../contract/index.ts'
import { all, rejects, rejectsNamed, scratch, sh, stops } from './helpers.ts'
import type { Topic } from './topic.ts'

/** Everything about everything below a directory that a restore must bring back. */
export async function picture(computer: EquippedComputer, dir: string): Promise<string> {
  const listing = `cd "$1" && find . -mindepth 1 \\( -type f -printf '%P|%y|%m|%U:%G|%n|%s|%T@\\n' -o -type l -printf '%P|%y|%l\\n' -o -printf '%P|%y|%m|%U:%G\\n' \\) | sort; find . -type f -print0 | sort -z | xargs -0r sha256sum`
  return sh(computer, listing, dir)
}

/** One of each kind that any user may make. */
export const furnish = `
  cd "$1" && umask 022
  mkdir -p kept/deep/er changed gone
  echo same > kept/file; echo one > changed/file; head -c 300000 /dev/urandom > changed/big
  echo leaving > gone/file; ln -s ../kept/file gone/link; ln kept/file kept/deep/twin
  printf 'x' > "changed/$(printf 'new\\nline')"; mkfifo kept/fifo
  truncate -s 5000000 kept/sparse; chmod 600 changed/file; chmod 700 kept/deep; touch -d 2001-02-03T04:05:06.789Z kept/file
`
const wreck = `
  cd "$1"
  echo two > changed/file; chmod 644 changed/file; rm -rf gone kept/deep/twin; mkdir gone; echo new > gone/other
  rm changed/big; ln -s nowhere changed/big; echo added > added; rm kept/fifo; chmod 755 kept/deep; rm changed/new*
`

async function changes(source: AsyncIterable<CheckpointChange>): Promise<Map<string, CheckpointChange>> {
  const found = new Map<string, CheckpointChange>()
  for await (const change of source) found.set(change.path, change)
  return found
}

export const checkpoints: Topic = {
  name: 'checkpoints',
  needs: 'checkpoints',
  use: async (bench) => (await bench.computer()).checkpoints.list(),
  tests: {
    'a restore brings everything back as it was, and can be taken back': async (bench) => {
      const computer = await bench.create()
      const dir = await scratch(computer)
      await sh(computer, furnish, dir)
      const before = await picture(computer, dir)
      const point = await computer.checkpoints.create({ message: 'whole' })
      assert.match(point.id, /^v[1-9]\d*$/)
      assert.equal(point.message, 'whole')
      assert.equal(point.kind, 'manual')
      await sh(computer, wreck, dir)
      const wrecked = await picture(computer, dir)
      assert.notEqual(wrecked, before)
      const { safety, changed } = await computer.checkpoints.restore(point.id)
      assert.ok((changed ?? 1) > 0 && safety !== undefined)
      assert.equal((await computer.info()).state, 'running')
      assert.equal(await picture(computer, dir), before)
      await computer.checkpoints.restore(safety)
      assert.equal(await picture(computer, dir), wrecked)
      await computer.delete()
    },
    'sessions that a restore ended say so': async (bench) => {
      const computer = await bench.create()
      const { id } = await computer.checkpoints.create()
      const session = await computer.sessions.start(['sleep', '1000'], { detached: true })
      await session.detach()
      await sh(computer, 'echo later > "$HOME/later"')
      await computer.checkpoints.restore(id)
      const { state } = await computer.sessions.get(session.session.id)
      assert.ok(state.status === 'ended' && state.reason === 'restored', JSON.stringify(state))
      await computer.delete()
    },
    'one that is stopped is restored and stays stopped': async (bench) => {
      const computer = await bench.create()
      await sh(computer, 'echo old > "$HOME/file"')
      const { id } = await computer.checkpoints.create()
      await sh(computer, 'echo new > "$HOME/file"')
      const stopped = await stops(computer)
      await computer.checkpoints.restore(id)
      if (stopped) {
        assert.equal((await computer.info()).state, 'stopped')
        await computer.start()
      }
      assert.equal(await sh(computer, 'cat "$HOME/file"'), 'old')
      await computer.delete()
    },
    'only some paths, if only they are asked for': async (bench) => {
      const computer = await bench.create()
      const dir = await scratch(computer)
      await sh(computer, 'cd "$1"; mkdir a b; echo 1 > a/x; echo 1 > b/x', dir)
      const { id } = await computer.checkpoints.create()
      await sh(computer, 'cd "$1"; echo 2 > a/x; echo 2 > b/x; echo 2 > a/more', dir)
      await computer.checkpoints.restore(id, { paths: [`${dir}/a`] })
      assert.equal(await sh(computer, 'cd "$1"; cat a/x b/x; ls a', dir), '1\n2\nx')
      await rejects(computer.checkpoints.restore(id, { paths: [`${dir}/../..`] }), 'invalid_argument')
      await rejects(computer.checkpoints.restore(id, { paths: ['relative'] }), 'invalid_argument')
      await computer.delete()
    },
    'what changed is told': async (bench) => {
      const computer = await bench.create()
      const dir = await scratch(computer)
      await sh(computer, furnish, dir)
      const first = await computer.checkpoints.create()
      await sh(computer, wreck, dir)
      const now = await changes(computer.checkpoints.diff(first.id))
      assert.equal(now.get(`${dir}/added`)?.change, 'added')
      assert.equal(now.get(`${dir}/gone/file`)?.change, 'removed')
      assert.deepEqual(now.get(`${dir}/changed/file`)?.what.toSorted().filter((what) => what !== 'time'), ['content', 'mode'])
      assert.ok(now.get(`${dir}/changed/big`)?.what.includes('type'))
      assert.equal(now.get(`${dir}/kept/sparse`), undefined, 'what did not change is not told')
      const second = await computer.checkpoints.create()
      const between = await changes(computer.checkpoints.diff(first.id, second.id))
      const mine = (found: Map<string, CheckpointChange>) => [...found.keys()].filter((path) => path.startsWith(`${dir}/`)).toSorted()
      assert.deepEqual(mine(between), mine(now))
      const back = await changes(computer.checkpoints.diff(second.id, first.id))
      assert.equal(back.get(`${dir}/added`)?.change, 'removed')
      await computer.delete()
    },
    'files are read as they were': async (bench) => {
      const computer = await bench.create()
      const dir = await scratch(computer)
      await sh(computer, 'echo old > "$1/file"; mkdir "$1/dir"', dir)
      const { id } = await computer.checkpoints.create()
      await sh(computer, 'echo new > "$1/file"', dir)
      assert.equal((await all(computer.checkpoints.read(id, `${dir}/file`))).toString(), 'old\n')
      await rejects(all(computer.checkpoints.read(id, `${dir}/none`)), 'not_found')
      await rejects(all(computer.checkpoints.read(id, `${dir}/dir`)), 'invalid_argument')
      await computer.delete()
    },
    'any of them can go, in any order, and the others stay whole': async (bench) => {
      const computer = await bench.create()
      const ids: string[] = []
      for (const text of ['one', 'two', 'three', 'four']) {
        await sh(computer, 'echo "$1" > "$HOME/file"; head -c 100000 /dev/urandom > "$HOME/$1"', text)
        ids.push((await computer.checkpoints.create({ message: text })).id)
      }
      assert.deepEqual((await computer.checkpoints.list()).map(({ id }) => id), ids.toReversed())
      const [one = '', two = '', three = '', four = ''] = ids
      await computer.checkpoints.remove([three, one])
      assert.deepEqual((await computer.checkpoints.list()).map(({ id }) => id), [four, two])
      assert.equal((await all(computer.checkpoints.read(two, await sh(computer, 'echo "$HOME/file"')))).toString(), 'two\n')
      await computer.checkpoints.restore(two)
      assert.equal(await sh(computer, 'cat "$HOME/file"; ls "$HOME/three" 2>/dev/null || echo none'), 'two\nnone')
      await rejectsNamed(computer, computer.checkpoints.restore(three), 'not_found')
      await rejects(computer.checkpoints.remove([four, one]), 'not_found')
      await computer.checkpoints.get(four)
      const next = await computer.checkpoints.create()
      assert.ok(!ids.includes(next.id), 'an id was used again')
      await computer.delete()
    },
    'automatic ones are pruned, those that were asked for never': async (bench) => {
      const computer = await bench.create()
      const { id } = await computer.checkpoints.create({ message: 'mine' })
      for (let n = 0; n < 12; n++) await computer.checkpoints.create({ automatic: true, message: `run ${n}` })
      const points = await computer.checkpoints.list()
      assert.equal(points.filter(({ kind }) => kind === 'automatic').length, 10)
      assert.equal(points[0]?.message, 'run 11')
      assert.equal(points.at(-1)?.id, id)
      await computer.delete()
    },
    'what is not there is not found': async (bench) => {
      const { checkpoints } = await bench.computer()
      for (const id of ['v999', 'auto-999']) await rejects(checkpoints.get(id), 'not_found')
      for (const id of ['../v1', 'v1/../v2', '']) await rejects(checkpoints.restore(id), 'invalid_argument')
      await rejects(checkpoints.restore('v999'), 'not_found')
    },
    'two at once get their own': async (bench) => {
      const computer = await bench.create()
      const again = await bench.get(computer.name)
      const points = await Promise.all([computer.checkpoints.create(), again.checkpoints.create(), computer.checkpoints.create({ automatic: true })])
      assert.equal(new Set(points.map(({ id }) => id)).size, 3)
      await computer.delete()
    },
  },
}
