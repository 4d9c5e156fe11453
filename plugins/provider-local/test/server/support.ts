import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EquippedProvider } from '../../../../src/contract/index.ts'
import { equip } from '../../../../src/emulation/index.ts'
import { policyText } from '../../../../src/emulation/network/text.ts'
import { descriptor } from '../../src/register.ts'
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/server.ts'
import { kit } from '../support.ts'

export const TOKEN = 'org/with=signs/and/slashes=='

export interface Bench {
  readonly url: string
  readonly token: string
  readonly provider: EquippedProvider
  readonly dataDir: string
  readonly log: string[]
  /** Ends the server and starts another over the same computers; its address is new. */
  again(): Promise<string>
  /** Leaves nothing. */
  end(): Promise<void>
}

/** A server over real local computers, in a directory of its own. */
export async function serve(more: Partial<ServerOptions> = {}, place?: string): Promise<Bench> {
  const dataDir = place ?? (await mkdtemp(join(tmpdir(), 'amux-serve-')))
  const provider = await localProvider(dataDir)
  const log: string[] = []
  const start = () => startServer({ provider, token: TOKEN, dataDir, version: '0.0.0', log: (line) => log.push(line), ...more })
  let server: RunningServer = await start()
  return {
    get url() {
      return server.url
    },
    token: TOKEN,
    provider,
    dataDir,
    log,
    async again() {
      await server.close()
      server = await start()
      return server.url
    },
    async end() {
      await server.close()
      for await (const { name } of provider.list()) {
        const computer = await provider.get(name)
        await computer.delete()
        await computer.close()
      }
      if (place === undefined) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** As a command would be given it. */
export async function localProvider(dataDir: string): Promise<EquippedProvider> {
  const guest = await kit()
  const raw = await descriptor.connect({ settings: {}, dataDir, progress: () => {}, debug: () => {}, guest, policyText })
  const equipped = (computer: Awaited<ReturnType<typeof raw.get>>) => equip(computer, { descriptor, kit: guest })
  return {
    id: 'local',
    create: async (options) => equipped(await raw.create(options)),
    get: async (name) => equipped(await raw.get(name)),
    list: () => raw.list(),
    health: () => raw.health(),
  }
}
