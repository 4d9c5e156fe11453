import { fail, hasCode } from '../../errors/index.ts'
import { Tool } from '../aside/index.ts'
import { type Disk, ENGINE, requestText, STORE, treesOf } from './store.ts'

/** Nobody's programs end for the sake of a misspelled path. */
export async function expectEither(computer: Disk, [then, now]: readonly [string, string], path: string): Promise<void> {
  if ((await has(computer, then, path)) || (await has(computer, now, path))) return
  throw fail('not_found', `${path} is neither in ${then} nor on the disk now`, { hint: `See what changed: amux computer checkpoint diff ${then}` })
}

/** What is there and is no file fails otherwise. */
async function has(computer: Disk, id: string, path: string): Promise<boolean> {
  const tool = await Tool.start(computer, [ENGINE, 'cat', STORE, id, path], { disk: 'read', store: true })
  await tool.send(requestText(await treesOf(computer)))
  await tool.end()
  try {
    for await (const _ of tool.bytes()) break
    return true
  } catch (error) {
    return !hasCode(error, 'not_found')
  }
}
