import type { ConnectContext } from '../../../src/contract/index.ts'
import type { ContainerInspectInfo } from 'dockerode'
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from './client.ts'
import { discard, look, missing } from './engine/container.ts'
import { runBeside } from './disk/beside.ts'
import { fail, hasCode } from './errors.ts'
import { discardImages } from './images/disks.ts'
import { isOurs, readMeta } from './meta.ts'
import { beside, inside, LABEL, runDir } from './names.ts'
import { forgetTrees } from './disk/trees.ts'
import { leftovers, removeVolumes } from './disk/volumes.ts'

const PATIENCE_MS = 15_000
const PAUSE_MS = 100
/** Of the containers that a computer has. */
const ROLES = ['computer', 'net', 'aside']

/** Everything of a computer. What stops in the middle goes on where it was when it is asked for again. */
export async function destroy(client: Client, context: ConnectContext, name: string): Promise<void> {
  const found = await look(client, name)
  if (found === undefined && (await leftovers(client, name)) === undefined) throw missing(name)
  if (found) await discard(client, found.Id).catch((error: unknown) => end(client, found.Id, error))
  for (const give = performance.now() + PATIENCE_MS; ; await delay(PAUSE_MS)) {
    const all = await client.call((docker) => docker.listContainers({ all: true, filters: { label: [`${LABEL.of}=${name}`] } }))
    // Somebody's own one over an image of amux's says whose that was.
    const others = all.filter(({ Id, Labels }) => Id !== found?.Id && ROLES.some((role) => isOurs(Labels, role)))
    await Promise.all(others.map(({ Id }) => discard(client, Id)))
    if (found) await discard(client, found.Id)
    try {
      await removeVolumes(client, name)
      break
    } catch (error) {
      // Something that worked beside it is just ending.
      if (!hasCode(error, 'conflict') || performance.now() > give) throw error
    }
  }
  await forgetTrees(client, context, name)
  await removeRunDir(client, context, name, found)
  await discardImages(client, name, found?.Image)
}

/** What a computer's root has made there only root can remove. */
async function removeRunDir(client: Client, context: ConnectContext, name: string, found: ContainerInspectInfo | undefined): Promise<void> {
  const path = runDir(context.dataDir, name)
  const remove = () => rmSync(path, { recursive: true, force: true })
  try {
    remove()
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM')) throw error
    await clear(client, context, path, found).then(remove).catch((reason: unknown) => context.debug(`${path} stays: ${String(reason)}`))
  }
}

async function clear(client: Client, context: ConnectContext, path: string, found: ContainerInspectInfo | undefined): Promise<void> {
  if (found === undefined) throw fail('not_found', 'what it was made from is not known')
  await runBeside(client, readMeta(found.Name.slice(1), found.Config.Labels), context, {
    argv: [`${beside.tools}/amux-init`, 'clear', inside.run],
    mounts: [{ Type: 'bind', Source: path, Target: inside.run }],
    shares: undefined,
    failed: (words) => fail('failed', words),
  })
}

/** Podman removes none that others lean on, as its policy's does: then it only ends, until those are gone. */
async function end(client: Client, id: string, error: unknown): Promise<void> {
  if (!(error instanceof Error) || !/dependent containers/.test(error.message)) throw error
  await client.call((docker) => docker.getContainer(id).kill()).catch((reason: unknown) => {
    if (!hasCode(reason, 'conflict', 'not_found')) throw reason
  })
}
