import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Computer, CreateOptions, Provider } from '../../../src/contract/index.ts'
import { equip, type Equipped } from '../../../src/emulation/index.ts'
import { kit } from '../../provider-local/test/support.ts'
import { descriptor } from '../src/register.ts'
import { connectDocker, engine } from './engine.ts'

export { attempt, failure, finish, sh, until } from '../../provider-local/test/support.ts'

export interface Lab {
  readonly provider: Provider
  readonly dir: string
  /** With what the core adds. */
  create(options?: Partial<CreateOptions>): Promise<Equipped>
  equip(raw: Computer): Promise<Equipped>
  end(): Promise<void>
}

let count = 0

/** `host`: another engine than the one that all tests share, and what computers start from there. */
export async function lab(host?: string, image?: string): Promise<Lab> {
  if (host === undefined) await engine()
  const dir = mkdtempSync(join(tmpdir(), 'amux-docker-'))
  const provider = await connectDocker(join(dir, 'data'), host === undefined ? {} : { settings: { host } })
  const made: Equipped[] = []
  const withGuest = async (raw: Computer) => {
    const computer = equip(raw, { descriptor, kit: await kit() })
    made.push(computer)
    return computer
  }
  return {
    provider,
    dir,
    equip: withGuest,
    create: async (options = {}) => withGuest(await provider.create({ name: `lab-${process.pid}-${++count}`, labels: { 'amux-lab': String(process.pid) }, ...(image !== undefined && { template: image }), ...options })),
    async end() {
      await Promise.allSettled(made.map((computer) => computer.close()))
      const names: string[] = []
      for await (const { name } of provider.list()) if (name.startsWith(`lab-${process.pid}-`)) names.push(name)
      const ended = await Promise.allSettled(names.map(async (name) => (await provider.get(name)).delete()))
      rmSync(dir, { recursive: true, force: true })
      for (const one of ended) if (one.status === 'rejected') throw one.reason
    },
  }
}

/** What somebody else does to the engine, by its own command. */
export function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}
