import type { ConnectContext } from '../../../src/contract/index.ts'
import { policyText } from '../../../src/emulation/network/text.ts'
import { type Bench, serve } from '../../provider-local/test/server/support.ts'
import { kit } from '../../provider-local/test/support.ts'
import { Client } from '../src/service/client.ts'
import { Sprite } from '../src/sprite.ts'

export interface Lab extends Bench {
  readonly client: Client
  /** A new sprite of that name. */
  sprite(name: string): Promise<Sprite>
}

/** Our server over real local computers, and our client. `through`: the address that the client uses instead. */
export async function lab(through?: (url: string) => Promise<string>, dataDir?: string): Promise<Lab> {
  const bench = await serve({}, dataDir)
  const url = through ? await through(bench.url) : bench.url
  const client = new Client({ url, token: bench.token, debug: () => {} })
  const context = await contextFor(url, bench.token, bench.dataDir)
  const sprites: Sprite[] = []
  const end = bench.end.bind(bench)
  return Object.assign(bench, {
    client,
    async sprite(name: string) {
      await client.json('POST', '/v1/sprites', { body: { name, labels: ['amux'] } })
      const sprite = new Sprite(name, client, context, false)
      sprites.push(sprite)
      return sprite
    },
    async end() {
      for (const sprite of sprites) sprite.leave()
      await end()
    },
  })
}

export async function contextFor(url: string, token: string, dataDir: string): Promise<ConnectContext> {
  return { settings: { url, token }, dataDir, progress: () => {}, debug: () => {}, guest: await kit(), policyText }
}

export async function text(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts).toString()
}
