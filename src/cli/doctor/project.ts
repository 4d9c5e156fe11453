import { paths } from '../../config/index.ts'
import { type Inspection, doubt, inspect, locate } from '../../project/index.ts'
import type { Context } from '../context.ts'
import { trusted } from '../status.ts'
import { type Finding, ok, trouble } from './finding.ts'

/** The project's record, and its computer from the provider down to the guest. */
export async function checkProject(amux: Context): Promise<Finding[]> {
  try {
    const found = inspect(amux.project(), paths().state)
    const record = checkRecord(amux, found)
    const located = locate(trusted(found), { provider: amux.settings.provider })
    return located ? [record, ...(await checkComputer(amux, located.provider, located.name))] : [record]
  } catch (error) {
    return [trouble('project', error)]
  }
}

function checkRecord(amux: Context, found: Inspection): Finding {
  const check = 'project'
  if (!found.record) return ok(check, 'no computer yet')
  const problem = doubt(amux.project(), found)
  return problem ? trouble(check, problem, 'warning') : ok(check, found.file)
}

async function checkComputer(amux: Context, provider: string, name: string): Promise<Finding[]> {
  const check = `computer ${name}`
  try {
    const computer = await (await amux.registry.connect(provider)).get(name)
    const { state, problem } = await computer.info()
    if (state === 'broken') return [{ check, state: 'broken', message: problem ?? 'broken', hint: `See: amux computer info ${name}. Or remove it: amux computer rm ${name}` }]
    if (state !== 'running') return [ok(check, state)]
    return [ok(check, state), await checkGuest(() => computer.sessions.list())]
  } catch (error) {
    return [trouble(check, error)]
  }
}

async function checkGuest(ask: () => Promise<readonly unknown[]>): Promise<Finding> {
  try {
    const sessions = await ask()
    return ok('guest', `answers; ${sessions.length} ${sessions.length === 1 ? 'session' : 'sessions'}`)
  } catch (error) {
    return trouble('guest', error)
  }
}
