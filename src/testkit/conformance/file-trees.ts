import assert from 'node:assert/strict'
import type { FileEvent } from '../../contract/index.ts'
import { rejects, scratch, sh } from './helpers.ts'
import type { Topic } from './topic.ts'

export const fileTrees: Topic = {
  name: 'file trees',
  needs: 'files',
  use: async (bench) => (await bench.computer()).files.stat('/'),
  tests: {
    'files and directories are copied, to the new path itself': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const dir = await scratch(computer)
      await sh(computer, 'cd "$1"; mkdir -p a/sub; echo one > a/file; chmod 750 a/file; ln -s file a/link; touch -d 2001-02-03 a/file', dir)
      await files.copy(`${dir}/a/file`, `${dir}/copy`)
      assert.equal(await sh(computer, 'cd "$1"; cat copy; stat -c %a copy', dir), 'one\n750')
      await rejects(files.copy(`${dir}/a`, `${dir}/b`), 'conflict')
      await files.copy(`${dir}/a`, `${dir}/b`, { recursive: true, preserve: true })
      assert.equal(await sh(computer, 'cd "$1"; readlink b/link; test -d b/sub && stat -c %y b/file | cut -c1-10', dir), 'file\n2001-02-03')
      await rejects(files.copy(`${dir}/a`, `${dir}/b`, { recursive: true }), 'conflict')
      await rejects(files.copy(`${dir}/none`, `${dir}/c`), 'not_found')
      await rejects(files.copy(`${dir}/a`, `${dir}/a/sub/in`, { recursive: true }), 'invalid_argument', 'conflict')
    },
    'mode and owner change, all below it too if asked for': async (bench) => {
      const computer = await bench.computer()
      const { files } = computer
      const dir = await scratch(computer)
      await sh(computer, 'cd "$1"; mkdir -p t/u; touch t/u/f; chmod 644 t/u/f', dir)
      await files.chmod(`${dir}/t`, 0o711)
      assert.equal(await sh(computer, 'cd "$1"; stat -c %a t t/u/f', dir), '711\n644')
      await files.chmod(`${dir}/t`, 0o700, { recursive: true })
      assert.equal(await sh(computer, 'cd "$1"; stat -c %a t t/u t/u/f', dir), '700\n700\n700')
      await rejects(files.chown(`${dir}/t`, 'amux-no-such-user'), 'not_found', 'invalid_argument')
      const { users } = await computer.capabilities()
      const other = (await computer.info()).user?.uid === 65534 ? '65533:65533' : '65534:65534'
      if (users.fidelity === 'unavailable') return rejects(files.chown(`${dir}/t`, other), 'permission_denied', 'unsupported')
      await files.chown(`${dir}/t`, other, { recursive: true })
      assert.equal((await files.stat(`${dir}/t`)).uid, Number(other.split(':')[0]))
    },
    'changes are told from when it watches': async (bench) => {
      const computer = await bench.computer()
      const dir = await scratch(computer)
      await sh(computer, 'mkdir "$1/deep"', dir)
      const controller = new AbortController()
      const change = () => sh(computer, 'cd "$1"; rm -rf made; echo x > deep/new; mkdir made; echo y > made/inner; rm deep/new', dir)
      // What happens while a connection is broken nobody tells.
      const events = await computer.files.watch([dir], { recursive: true, signal: controller.signal, onMissed: () => void change() })
      await change()
      const seen: FileEvent[] = []
      const has = (path: string, event?: string) => seen.some((one) => one.path === `${dir}/${path}` && (event === undefined || one.event === event))
      for await (const event of events) {
        seen.push(event)
        if (has('deep/new', 'remove') && has('made', 'create') && has('made/inner')) break
      }
      controller.abort()
      await rejects(computer.files.watch([`${dir}/none`]), 'not_found')
    },
  },
}
