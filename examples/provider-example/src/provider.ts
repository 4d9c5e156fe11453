import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import type { ErrorCode, Provider } from 'amux/provider'
import { openComputer } from './computer.ts'

/** Every failure that amux should understand carries one of its codes; no class is needed. */
export function fail(code: ErrorCode, message: string): Error {
  return Object.assign(new Error(message), { code })
}

export function openProvider(root: string): Provider {
  return {
    async create({ name, labels, env = {}, project, template, signal }) {
      signal?.throwIfAborted()
      if (!/^[a-z][a-z0-9-]{0,54}$/.test(name)) throw fail('invalid_argument', `${JSON.stringify(name)} is no name`)
      if (template !== undefined) throw fail('unsupported', 'there are no templates')
      // Made aside and renamed: nobody ever meets half a computer, and of two at once one wins.
      await mkdir(root, { recursive: true, mode: 0o700 })
      const fresh = await mkdtemp(`${root}/.new-`)
      await mkdir(`${fresh}/home`)
      const record = { name, labels, env, createdAt: new Date().toISOString(), workspace: project?.path }
      await writeFile(`${fresh}/record`, JSON.stringify(record), { mode: 0o600 })
      await rename(fresh, `${root}/${name}`).catch(async () => {
        await rm(fresh, { recursive: true })
        throw fail('already_exists', `there is a computer ${name} already`)
      })
      return openComputer(root, name)
    },
    async get(name) {
      const computer = openComputer(root, name)
      await computer.info()
      return computer
    },
    async *list({ signal } = {}) {
      for (const name of await readdir(root).catch(() => [])) {
        signal?.throwIfAborted()
        if (!name.startsWith('.')) yield openComputer(root, name).info()
      }
    },
    health: async () => ({ ok: process.platform === 'linux', message: 'runs on Linux, and needs nothing else' }),
  }
}
