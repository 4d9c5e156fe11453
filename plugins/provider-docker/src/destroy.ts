import type { ConnectContext } from '../../../src/contract/index.ts'
import { rmSync } from 'node:fs'
import type { Client } from './client.ts'
import { discard, look, missing } from './engine/container.ts'
import { runDir } from './run-dir.ts'
import { LABEL, netOf } from './names.ts'
import { leftovers, removeVolumes } from './volumes.ts'

/** Everything of a computer. What stops in the middle goes on where it was when it is asked for again. */
export async function destroy(client: Client, { dataDir }: Pick<ConnectContext, 'dataDir'>, name: string): Promise<void> {
  const found = await look(client, name)
  if (found === undefined && (await leftovers(client, name)) === undefined) throw missing(name)
  const others = await client.call((docker) => docker.listContainers({ all: true, filters: { label: [`${LABEL.of}=${name}`, `${LABEL.role}=aside`] } }))
  await Promise.all([netOf(name), ...others.map(({ Id }) => Id)].map((one) => discard(client, one)))
  if (found) await discard(client, found.Id)
  await removeVolumes(client, name)
  rmSync(runDir(dataDir, name), { recursive: true, force: true })
}
