import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { sep } from 'node:path'
import { runBox } from './box.ts'
import { fail, hasCode } from './errors.ts'
import { dropGroup } from './freeze.ts'
import { halt } from './halt.ts'
import { type Layout, layout } from './layout.ts'
import { missing } from './meta.ts'
import { ownProcess } from './status.ts'

const PATIENCE = 15_000

/**
 * Ends a computer and deletes everything of it, and nothing else. From the rename on it is gone for everybody; what is
 * left of the tree when this process is killed is swept later.
 */
export async function destroy(dataDir: string, place: Layout): Promise<void> {
  refuseMounts(place)
  await halt(place)
  const own = ownProcess()
  const doomed = layout(dataDir, place.name, `.del-${own.pid}-${own.ticks}-${randomBytes(4).toString('hex')}`)
  try {
    await rename(place.dir, doomed.dir)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw missing(place.name)
    throw error
  }
  await dropGroup(doomed)
  await removeTree(place, doomed)
  await rm(place.run, { recursive: true, force: true })
}

/** Somebody may have been starting it at that moment: ends that as well. */
async function removeTree(place: Layout, doomed: Layout): Promise<void> {
  const give = performance.now() + PATIENCE
  for (;;) {
    refuseMounts(doomed)
    const { status, stderr } = await runBox(['remove', doomed.dir, 'run.lock'])
    if (status === 0) return
    if (status !== 3) throw fail('failed', `cannot remove all of ${place.name}: ${stderr}`, { computer: place.name, hint: `What is left is in ${doomed.dir}` })
    if (performance.now() > give) {
      await rename(doomed.dir, place.dir)
      throw fail('locked', `something works on the disk of ${place.name}`, { computer: place.name })
    }
    await halt(doomed)
    await delay(20)
  }
}

/** A mount below the tree may be the user's own files: what is behind it must never be deleted. */
function refuseMounts(place: Layout): void {
  const below = mountPoints().find((path) => path === place.dir || path.startsWith(place.dir + sep))
  if (below === undefined) return
  throw fail('conflict', `${below} is mounted inside the computer's directory; it is not deleted`, {
    computer: place.name,
    hint: `Unmount it first: umount ${below}`,
  })
}

function mountPoints(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
}
