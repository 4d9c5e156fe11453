import { setTimeout as delay } from 'node:timers/promises'
import { chosenProvider, inspect } from '../../project/index.ts'
import { paths } from '../../config/index.ts'
import { hasCode } from '../../errors/index.ts'
import type { ConnectedProvider, FoundProvider } from '../../registry/index.ts'
import { formatDuration } from '../../util/duration.ts'
import type { Context } from '../context.ts'
import { loadAll } from '../load.ts'
import { trusted } from '../status.ts'
import { type Finding, ok, trouble } from './finding.ts'

/** For a provider to list its computers. */
const PATIENCE = 5000

/** Every plugin registers, and every provider that is set up answers. */
export async function checkProviders(amux: Context): Promise<Finding[]> {
  const [{ providers, broken }, commands] = await Promise.all([amux.registry.discover(), loadAll({ root: amux.root, development: false })])
  const chosen = amux.settings.provider ?? recorded(amux)
  const healthy = await Promise.all(providers.map((provider) => checkProvider(amux, provider, chosen)))
  const missing = chosen === undefined || providers.some(({ descriptor }) => descriptor.id === chosen) ? [] : [await checkMissing(amux, chosen)]
  return [...healthy.flat(), ...missing, ...broken.map(({ plugin, error }) => trouble(`plugin ${plugin.name}`, error)), ...commands.broken.map(mute)]
}

function mute(name: string): Finding {
  return { check: `plugin ${name}`, state: 'broken', message: 'its commands cannot all be loaded', hint: `Update it: amux plugins update. Or remove it: amux plugins uninstall ${name}` }
}

async function checkProvider(amux: Context, { descriptor, plugin }: FoundProvider, chosen: string | undefined): Promise<Finding[]> {
  const check = `provider ${descriptor.id}`
  // One that nobody chose and that came with amux may not fit this machine; nothing is broken by that.
  const optional = descriptor.id !== chosen
  try {
    const provider = await amux.registry.connect(descriptor.id)
    const { ok: fine, message, hint } = await provider.health()
    const health: Finding = fine ? ok(check, message) : { check, state: optional && plugin.bundled ? 'warning' : 'broken', message, hint }
    return [health, ...(fine || !optional ? await Promise.race([checkComputers(provider), late(provider)]) : [])]
  } catch (error) {
    return [trouble(check, error, optional && hasCode(error, 'credential_missing') ? 'warning' : 'broken')]
  }
}

/** Those that cannot be used as they are; only their provider knows, no project may name them. */
async function checkComputers(provider: ConnectedProvider): Promise<Finding[]> {
  const found: Finding[] = []
  for await (const { name, state, problem } of provider.list()) {
    if (state !== 'broken') continue
    found.push({ check: `computer ${name}`, state, message: problem ?? 'broken', hint: `See: amux computer info ${name} -P ${provider.id}. Or remove it: amux computer rm ${name} -P ${provider.id}` })
  }
  return found
}

async function late({ id }: ConnectedProvider): Promise<Finding[]> {
  await delay(PATIENCE, undefined, { ref: false })
  return [{ check: `computers on ${id}`, state: 'warning', message: `not listed within ${formatDuration(PATIENCE)}`, hint: `See: amux computer ls -P ${id}` }]
}

async function checkMissing(amux: Context, id: string): Promise<Finding> {
  return amux.registry.find(id).then(
    () => ok(`provider ${id}`, 'registered'),
    (error: unknown) => trouble(`provider ${id}`, error),
  )
}

/** A record that cannot be read is another check's finding. */
function recorded(amux: Context): string | undefined {
  try {
    return chosenProvider(trusted(inspect(amux.project(), paths().state)))
  } catch {
    return undefined
  }
}
