import type { ServiceInfo, ServiceSpec, ServiceState, Services } from '../../../src/contract/index.ts'
import { fail, hasCode, statusOf } from './errors.ts'
import { checkSignal } from './exec/signals.ts'
import { serviceLogs } from './service-logs.ts'
import type { Sprite } from './sprite.ts'

/** What of a service's first moments is waited for. */
const BEGIN = '300ms'
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

interface Row {
  readonly name: string
  readonly cmd?: string
  readonly args?: readonly string[] | null
  readonly env?: Readonly<Record<string, string>> | null
  readonly dir?: string | null
  readonly needs?: readonly string[] | null
  readonly http_port?: number | null
  readonly state?: { readonly status?: string; readonly pid?: number; readonly started_at?: string; readonly error?: string; readonly restart_count?: number; readonly next_restart_at?: string }
}

/** The service's own. */
export function spriteServices(sprite: Sprite): Services {
  const { client } = sprite
  const at = (name: string, ...more: readonly string[]) => sprite.path('services', checkName(name), ...more)
  const named = (name: string) => (error: unknown) => {
    throw statusOf(error) === 404 ? fail('not_found', `there is no service "${name}"`, { computer: sprite.name, cause: error, hint: `See which there are: amux computer service ls -c ${sprite.name} -P sprites` }) : error
  }
  const get = async (name: string) => infoOf(await client.json<Row>('GET', at(name)).catch(named(name)))
  const act = async (name: string, verb: 'start' | 'stop' | 'restart') => {
    for await (const event of client.events('POST', at(name, verb), { query: verb === 'stop' ? { timeout: '10s' } : { duration: BEGIN } })) refuseError(sprite, event)
    return get(name)
  }
  return {
    async set(name, spec, { start = true } = {}) {
      checkSpec(spec)
      const path = at(name)
      if (await isSame(get(name), spec)) return start ? act(name, 'start') : get(name)
      for await (const event of client.events('PUT', path, { body: rowOf(spec), query: { duration: BEGIN } })) refuseError(sprite, event)
      return start ? get(name) : act(name, 'stop')
    },
    async list() {
      const rows = await client.json<readonly Row[] | { readonly services?: readonly Row[] }>('GET', sprite.path('services'))
      return ('services' in rows ? (rows.services ?? []) : (rows as readonly Row[])).map(infoOf).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
    get,
    async start(name) {
      return (await get(name)).state === 'running' ? get(name) : act(name, 'start')
    },
    async stop(name) {
      return (await get(name)).state === 'stopped' ? get(name) : act(name, 'stop')
    },
    async restart(name) {
      return act(name, 'restart')
    },
    async signal(name, signal) {
      checkSignal(signal)
      await get(name)
      await client.json('POST', sprite.path('services', 'signal'), { body: { name, signal: signal.slice('SIG'.length) } }).catch((error: unknown) => {
        throw statusOf(error) === 409 ? fail('not_running', `service ${name} on ${sprite.name} does not run`, { computer: sprite.name, hint: `amux computer service start ${name} -c ${sprite.name} -P sprites` }) : error
      })
    },
    async remove(name) {
      await client.json('DELETE', at(name)).catch(named(name))
    },
    logs: (name, options = {}) => serviceLogs(sprite, at(name, 'logs'), options),
  }
}

const states: Readonly<Record<string, ServiceState>> = { stopped: 'stopped', starting: 'starting', running: 'running', stopping: 'stopping', failed: 'failed' }

function infoOf({ name, cmd = '', args, env, dir, needs, http_port, state = {} }: Row): ServiceInfo {
  return {
    name,
    argv: [cmd, ...(args ?? [])],
    ...(dir && { cwd: dir }),
    ...(env && Object.keys(env).length > 0 && { env }),
    ...(needs && needs.length > 0 && { needs }),
    ...(http_port && { httpPort: http_port }),
    state: states[state.status ?? ''] ?? 'stopped',
    restarts: state.restart_count ?? 0,
    ...(state.pid && { pid: state.pid }),
    ...(state.started_at && { startedAt: state.started_at }),
    ...(state.next_restart_at && { nextRestartAt: state.next_restart_at }),
    ...(state.error && { problem: state.error }),
  }
}

function rowOf({ argv: [cmd, ...args], cwd, env, needs = [], httpPort }: ServiceSpec): object {
  return { cmd, args, needs, ...(cwd !== undefined && { dir: cwd }), ...(env && { env }), ...(httpPort !== undefined && { http_port: httpPort }) }
}

async function isSame(before: Promise<ServiceInfo>, spec: ServiceSpec): Promise<boolean> {
  const there = await before.catch((error: unknown) => {
    if (hasCode(error, 'not_found')) return undefined
    throw error
  })
  return there !== undefined && JSON.stringify(rowOf(there)) === JSON.stringify(rowOf(spec))
}

function checkName(name: string): string {
  if (NAME.test(name)) return name
  throw fail('invalid_argument', `${JSON.stringify(name)} is no name for a service: small letters, digits and dashes`, { source: 'amux' })
}

function checkSpec({ argv }: ServiceSpec): void {
  if (argv.length === 0 || argv[0] === '') throw fail('invalid_argument', 'a service needs a program', { source: 'amux' })
}

/** Failures come inside the stream. */
function refuseError(sprite: Sprite, { type, data, error }: Readonly<Record<string, unknown>>): void {
  if (type === 'error') throw fail('failed', `the service on ${sprite.name} failed: ${String(data ?? error)}`, { computer: sprite.name })
}
