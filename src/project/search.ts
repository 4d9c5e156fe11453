import type { EquippedComputer } from '../contract/index.ts'
import { fail, hasCode, normalise } from '../errors/index.ts'
import type { Located } from './current.ts'

type Connect = (id: string) => Promise<{ get(name: string): Promise<Pick<EquippedComputer, 'info'>> }>

/** On which provider a computer is. A provider that cannot be asked makes a "no" uncertain, and is then named. */
export async function searchComputer(name: string, ids: readonly string[], connect: Connect): Promise<Located> {
  const answers = await Promise.all(ids.map(async (id) => ({ id, ...(await ask(name, id, connect)) })))
  const [first, second] = answers.filter(({ there }) => there)
  if (first && second) {
    throw fail('conflict', `there is a ${name} on ${first.id} and on ${second.id}`, { hint: `Say which: amux computer use ${name} -P ${first.id}` })
  }
  if (first) return { provider: first.id, name }
  const unsure = answers.filter(({ error }) => error !== undefined).map(({ id, error }) => `${id} could not be asked: ${error}`)
  throw fail('not_found', `there is no computer ${name}${unsure.length === 0 ? '' : ` so far as one can tell: ${unsure.join('; ')}`}`, {
    hint: 'See which there are: amux computer ls',
    computer: name,
  })
}

async function ask(name: string, id: string, connect: Connect): Promise<{ readonly there: boolean; readonly error?: string }> {
  try {
    await (await (await connect(id)).get(name)).info()
    return { there: true }
  } catch (error) {
    return hasCode(error, 'not_found', 'credential_missing') ? { there: false } : { there: false, error: normalise(error).message }
  }
}
