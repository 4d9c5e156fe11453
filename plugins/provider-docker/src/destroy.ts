import type { ConnectContext } from '../../../src/contract/index.ts'
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from './client.ts'
import { discard, look, missing } from './engine/container.ts'
import { hasCode } from './errors.ts'
import { discardImages } from './images/disks.ts'
import { LABEL, netOf, nextOf, runDir } from './names.ts'
import { leftovers, removeVolumes } from './disk/volumes.ts'

const PATIENCE_MS = 15_000
const PAUSE_MS = 100

/** Everything of a computer. What stops in the middle goes on where it was when it is asked for again. */
export async function destroy(client: Client, { dataDir }: Pick<ConnectContext, 'dataDir'>, name: string): Promise<void> {
  const found = await look(client, name)
  if (found === undefined && (await leftovers(client, name)) === undefined) throw missing(name)
  if (found) await discard(client, found.Id).catch((error: unknown) => end(client, found.Id, error))
  for (const give = performance.now() + PATIENCE_MS; ; await delay(PAUSE_MS)) {
    const others = await client.call((docker) => docker.listContainers({ all: true, filters: { label: [`${LABEL.of}=${name}`] } }))
    await Promise.all([netOf(name), nextOf(name), ...others.map(({ Id }) => Id)].filter((one) => one !== found?.Id).map((one) => discard(client, one)))
    if (found) await discard(client, found.Id)
    try {
      await removeVolumes(client, name)
      break
    } catch (error) {
      // Something that worked beside it is just ending.
      if (!hasCode(error, 'conflict') || performance.now() > give) throw error
    }
  }
  await discardImages(client, name, found?.Image)
  rmSync(runDir(dataDir, name), { recursive: true, force: true })
}

/** Podman removes none that others lean on, as its policy's does: then it only ends, until those are gone. */
async function end(client: Client, id: string, error: unknown): Promise<void> {
  if (!(error instanceof Error) || !/dependent containers/.test(error.message)) throw error
  await client.call((docker) => docker.getContainer(id).kill()).catch((reason: unknown) => {
    if (!hasCode(reason, 'conflict', 'not_found')) throw reason
  })
}
