import type { LogChunk, LogOptions, ServiceInfo, Services } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { Path, type ServiceList, type ServiceReport } from '../../protocol/index.ts'
import type { Calls } from './calls.ts'
import type { SessionHost } from './host.ts'
import { readLogs } from './logs.ts'
import { parseJson } from './wire.ts'

export function guestServices(host: SessionHost, calls: Calls): Services {
  const at = (name: string, more = '') => `${Path.services}/${encodeURIComponent(name)}${more}`
  const post = async (name: string, verb: string) => plain(parseJson<ServiceReport>(await calls.send('POST', at(name, `/${verb}`)), isReport))
  const get = (name: string) => calls.get<ServiceReport>(at(name), isReport)
  return {
    async set(name, spec, { start = true } = {}) {
      return plain(parseJson<ServiceReport>(await calls.send('PUT', at(name), { body: spec, query: { start: start ? undefined : '0' } }), isReport))
    },
    async list() {
      return (await calls.get<ServiceList>(Path.services, (value) => 'services' in value && Array.isArray(value.services))).services.map(plain)
    },
    get: async (name) => plain(await get(name)),
    start: (name) => post(name, 'start'),
    stop: (name) => post(name, 'stop'),
    restart: (name) => post(name, 'restart'),
    async signal(name, signal) {
      await calls.send('POST', at(name, '/signal'), { body: { signal } })
    },
    async remove(name) {
      await calls.send('DELETE', at(name))
    },
    logs: (name, options = {}) => serviceLogs(host, options, get, (run, signal) => calls.get<ServiceReport>(at(name, '/wait'), isReport, { query: { run }, signal }), name),
  }
}

/** One start after the other. */
async function* serviceLogs(
  host: SessionHost,
  { tail, from, follow, ...options }: LogOptions,
  get: (name: string) => Promise<ServiceReport>,
  next: (run: string, signal: AbortSignal | undefined) => Promise<ServiceReport>,
  name: string,
): AsyncGenerator<LogChunk, void> {
  if (from !== undefined && (options.stream ?? 'both') === 'both') throw fail('invalid_argument', 'an offset counts in one stream: say which')
  let { runs } = await get(name)
  if (tail !== undefined) runs = runs.slice(-1)
  for (let last = '', first = true; ; first = false) {
    for (const { id, base, startedAt } of runs) {
      last = id
      const begin = from === undefined ? {} : { from: Math.max(0, from - base[options.stream === 'stderr' ? 1 : 0]) }
      for await (const chunk of readLogs(host, `${Path.runs}/${id}/logs`, { ...options, ...begin, ...(first && tail !== undefined && { tail }), follow: follow === true && id === runs.at(-1)?.id })) {
        const offset = chunk.offset + base[chunk.stream === 'stdout' ? 0 : 1]
        if (from === undefined || offset + chunk.data.length > from) yield { ...chunk, offset, ...(startedAt !== undefined && { startedAt }) }
      }
    }
    if (follow !== true) return
    const all = (await next(last, options.signal)).runs
    runs = all.slice(all.findIndex(({ id }) => id === last) + 1)
  }
}

/** Where its logs are is our own business. */
function plain(report: ServiceReport): ServiceInfo {
  const { runs: _, ...service } = report
  return service
}

function isReport(value: object): boolean {
  return 'name' in value && 'state' in value && 'runs' in value && Array.isArray(value.runs)
}
