import { fail, hasCode } from '../../errors/index.ts'
import { runTool } from '../aside/index.ts'
import { explain } from './explain.ts'
import { parse } from './info.ts'
import { partTrees } from './parts.ts'
import { points } from './points.ts'
import { type Disk, ENGINE, requestText, STORE, treesOf } from './store.ts'

export interface Recovered {
  readonly restored: string
  readonly safety?: string
}

/** Before a computer starts: finishes a restore that was interrupted, and says which. Cheap where there was none. */
export async function recover(computer: Disk, note: (message: string) => void): Promise<Recovered | undefined> {
  if (computer.aside === undefined || computer.disk === undefined) return undefined
  if ((await computer.interrupted?.()) === false) return undefined
  const pending = await runTool(computer, [ENGINE, 'pending', STORE], { store: true, explain })
  if (pending.word !== 'restore') return undefined
  const { restored: half } = parse(pending.fields[0])
  const target = (await points(computer)).find(({ info }) => info.id === half)
  const input = requestText(partTrees(await treesOf(computer), target?.parts))
  const answer = await runTool(computer, [ENGINE, 'recover', STORE], { disk: 'write', store: true, explain, input }).catch((error: unknown) => {
    if (!hasCode(error, 'conflict')) throw error
    throw fail('locked', `${computer.name} is being restored`, { hint: 'Try again when that is done.', cause: error })
  })
  if (answer.word !== 'recovered') return undefined
  const { restored, safety } = parse(answer.fields[0])
  note(`The restore of ${String(restored)} was interrupted: it is finished now.${typeof safety === 'string' ? ` What was before is ${safety}.` : ''}`)
  return { restored: String(restored), ...(typeof safety === 'string' && { safety }) }
}
