import assert from 'node:assert/strict'
import { furnish, picture } from './checkpoints.ts'
import { all, rejects, scratch, sh } from './helpers.ts'
import type { Topic } from './topic.ts'

async function* one(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* parts
}

/** Checkpoints that go from one computer to another. */
export const carry: Topic = {
  name: 'export and import',
  needs: 'export',
  use: async (bench) => {
    const { checkpoints } = await bench.create()
    const { id } = await checkpoints.create()
    return all(checkpoints.export(id))
  },
  tests: {
    'one goes through a file to another computer, whole': async (bench) => {
      const [from, to] = [await bench.create(), await bench.create()]
      const dir = await scratch(from)
      await sh(from, furnish, dir)
      const wanted = await picture(from, dir)
      const { id } = await from.checkpoints.create({ message: 'furnished' })
      const taken = await to.checkpoints.import(from.checkpoints.export(id))
      assert.match(taken.message ?? '', new RegExp(`${id} of ${from.name} on .*furnished`))
      assert.equal((await to.checkpoints.get(taken.id)).kind, 'manual')
      await to.checkpoints.restore(taken.id)
      assert.equal(await picture(to, dir), wanted)
      await from.delete()
      await to.delete()
    },
    'without the system, home comes along all the same, and the system stays': async (bench) => {
      const [from, to] = [await bench.create(), await bench.create()]
      await sh(from, 'mkdir "$HOME/d"; echo carried > "$HOME/d/file"; ln -s file "$HOME/d/link"')
      await sh(to, 'echo here > "$HOME/else"')
      const { id } = await from.checkpoints.create()
      const taken = await to.checkpoints.import(from.checkpoints.export(id), { withoutSystem: true, message: 'home alone' })
      assert.equal(taken.message, 'home alone')
      const { safety } = await to.checkpoints.restore(taken.id)
      assert.equal(await sh(to, 'cat "$HOME/d/file"; readlink "$HOME/d/link"; ls "$HOME/else" 2>/dev/null || echo none'), 'carried\nfile\nnone')
      assert.ok(safety !== undefined)
      await to.checkpoints.restore(safety)
      assert.equal(await sh(to, 'cat "$HOME/else"; ls "$HOME/d" 2>/dev/null || echo none'), 'here\nnone')
      await from.delete()
      await to.delete()
    },
    'what is cut, changed, or no checkpoint is refused and leaves nothing': async (bench) => {
      const { checkpoints } = await bench.create()
      const { id } = await checkpoints.create()
      const tar = await all(checkpoints.export(id))
      const count = (await checkpoints.list()).length
      await rejects(checkpoints.import(one(tar.subarray(0, tar.length / 2))), 'corrupt')
      await rejects(checkpoints.import(one(Buffer.from('this is no tar file at all'.repeat(100)))), 'corrupt')
      await rejects(checkpoints.import(one()), 'corrupt')
      const bent = Buffer.from(tar)
      bent[bent.length >> 1] = (bent[bent.length >> 1] ?? 0) ^ 0xff
      await rejects(checkpoints.import(one(bent)), 'corrupt')
      assert.equal((await checkpoints.list()).length, count, 'a refused one left something')
      await rejects(all(checkpoints.export('v999')), 'not_found')
    },
    'a source that fails is told as it failed': async (bench) => {
      const { checkpoints } = await bench.computer()
      const { id } = await checkpoints.create()
      const head: Uint8Array[] = []
      for await (const chunk of checkpoints.export(id)) if (head.push(chunk) > 4) break
      const begun = Buffer.concat(head)
      const broken = async function* () {
        yield begun.subarray(0, begun.length - 2000)
        throw Object.assign(new Error('the wire was cut'), { code: 'connection_lost' })
      }
      // Through a service it is the way there that fails.
      await rejects(checkpoints.import(broken()), 'connection_lost', 'unavailable')
    },
  },
}
