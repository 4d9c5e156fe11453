import type { ServerResponse } from 'node:http'
import type { LogChunk, ServiceInfo, ServiceSpec, Services } from '../../../../../src/contract/index.ts'
import { type Call, json, nothing } from '../http/call.ts'
import { parseGoDuration } from './duration.ts'
import { codeOf, refuse } from '../http/errors.ts'
import type { Routes } from '../http/router.ts'
import type { Served } from '../sprite/served.ts'
import { ServiceTeller, follow } from './service-stream.ts'
import { signalName } from './signals.ts'

export const serviceRoutes: Routes = {
  'GET /v1/sprites/:name/services': async (call: Call, response: ServerResponse) => {
    const served = await call.sprite()
    json(response, 200, (await on(served, (services) => services.list())).map(serviceDocument))
  },
  'GET /v1/sprites/:name/services/:service': async (call: Call, response: ServerResponse) => {
    const served = await call.sprite()
    json(response, 200, serviceDocument(await on(served, (services) => services.get(call.param('service')))))
  },
  'PUT /v1/sprites/:name/services/:service': put,
  'DELETE /v1/sprites/:name/services/:service': async (call: Call, response: ServerResponse) => {
    const served = await call.sprite()
    await on(served, (services) => services.remove(call.param('service')))
    nothing(response)
  },
  'POST /v1/sprites/:name/services/:service/start': (call: Call, response: ServerResponse) => begin(call, response, (services, name) => services.start(name)),
  'POST /v1/sprites/:name/services/:service/restart': (call: Call, response: ServerResponse) => begin(call, response, restart),
  'POST /v1/sprites/:name/services/:service/stop': stop,
  'GET /v1/sprites/:name/services/:service/logs': logs,
  'POST /v1/sprites/:name/services/signal': signal,
}

function on<T>(served: Served, work: (services: Services) => Promise<T>): Promise<T> {
  return served.awake(({ services }) => work(services))
}

async function put(call: Call, response: ServerResponse): Promise<void> {
  const spec = specOf(await call.document())
  const served = await call.sprite()
  const name = call.param('service')
  // Made first, so that its first words are heard.
  await on(served, (services) => services.set(name, spec, { start: false }))
  await begin(call, response, (services) => services.restart(name))
}

/** What it says in its first seconds. */
async function begin(call: Call, response: ServerResponse, work: (services: Services, name: string, before: ServiceInfo, teller: ServiceTeller) => Promise<ServiceInfo>): Promise<void> {
  const served = await call.sprite()
  const name = call.param('service')
  const before = await on(served, (services) => services.get(name))
  const duration = parseGoDuration(call.query.get('duration') ?? '5s', 'duration')
  const teller = new ServiceTeller(response)
  await follow(served, before, teller, duration, call.signal, () => on(served, (services) => work(services, name, before, teller)))
}

/** In one go: a server that ended in between would leave it stopped for good. */
async function restart(services: Services, name: string, { state }: ServiceInfo, teller: ServiceTeller): Promise<ServiceInfo> {
  if (state !== 'running') return services.restart(name)
  teller.say('stopping')
  const info = await services.restart(name)
  teller.say('stopped', { exit_code: 0 })
  return info
}

async function stop(call: Call, response: ServerResponse): Promise<void> {
  const served = await call.sprite()
  const name = call.param('service')
  const { state } = await on(served, (services) => services.get(name))
  if (state === 'stopped') throw refuse(409, 'conflict', `service ${name} is not running`)
  const teller = new ServiceTeller(response)
  teller.say('stopping')
  try {
    await on(served, (services) => services.stop(name))
    teller.say('stopped', { exit_code: 0 })
  } catch (error) {
    teller.fail(error)
  }
  teller.complete()
}

async function logs(call: Call, response: ServerResponse): Promise<void> {
  const served = await call.sprite()
  const name = call.param('service')
  const { startedAt } = await on(served, (services) => services.get(name))
  const duration = parseGoDuration(call.query.get('duration') ?? '0', 'duration')
  const count = call.number('lines')
  const past = duration > 0 ? await endsOf(served, name, call.signal) : { stdout: Infinity, stderr: Infinity }
  const teller = new ServiceTeller(response)
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(Math.max(duration, 1) + (duration > 0 ? 0 : 600_000))])
  try {
    for await (const chunk of served.computer.services.logs(name, { follow: duration > 0, signal, ...(count !== undefined && count > 0 && { tail: count }) })) {
      // When a line was written is not kept; when its program began is.
      const began = Date.parse(chunk.startedAt ?? startedAt ?? '')
      teller.output(chunk, chunk.offset < past[chunk.stream] && !Number.isNaN(began) ? began : undefined)
    }
  } catch (error) {
    if (!signal.aborted) teller.fail(error)
  }
  teller.complete()
}

/** Up to where its log is there now. What fails fails again where it is told. */
async function endsOf({ computer }: Served, name: string, signal: AbortSignal): Promise<Readonly<Record<LogChunk['stream'], number>>> {
  const ends = { stdout: 0, stderr: 0 }
  try {
    for await (const { stream, offset, data } of computer.services.logs(name, { signal })) ends[stream] = offset + data.length
  } catch {
    return ends
  }
  return ends
}

async function signal(call: Call, response: ServerResponse): Promise<void> {
  const { name, signal } = await call.document()
  if (typeof name !== 'string' || typeof signal !== 'string') throw refuse(400, 'invalid_request', 'write {name, signal}')
  const served = await call.sprite()
  const wanted = signalName(signal)
  await on(served, (services) => services.signal(name, wanted)).catch((error: unknown) => {
    throw codeOf(error) === 'not_running' ? refuse(409, 'conflict', `service ${name} is not running`) : error
  })
  nothing(response)
}

function specOf({ cmd, args = [], env, dir, needs, http_port, httpPort }: Readonly<Record<string, unknown>>): ServiceSpec {
  if (typeof cmd !== 'string' || cmd === '') throw refuse(400, 'invalid_request', 'cmd is missing')
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === 'string')) throw refuse(400, 'invalid_request', 'args are a list of texts')
  const port = http_port ?? httpPort
  // The rest is checked by who keeps it.
  return {
    argv: [cmd, ...(args as string[])],
    ...(env instanceof Object && { env: env as Record<string, string> }),
    ...(typeof dir === 'string' && dir !== '' && { cwd: dir }),
    ...(Array.isArray(needs) && needs.length > 0 && { needs: needs as string[] }),
    ...(port !== undefined && port !== null && { httpPort: Number(port) }),
  }
}

export function serviceDocument({ name, argv, env, cwd, needs = [], httpPort, state, pid, startedAt, restarts, nextRestartAt, problem }: ServiceInfo): object {
  return {
    name,
    cmd: argv[0] ?? '',
    args: argv.slice(1),
    ...(env && { env }),
    ...(cwd !== undefined && { dir: cwd }),
    needs,
    http_port: httpPort ?? null,
    state: {
      name,
      status: state,
      restart_count: restarts,
      ...(pid !== undefined && { pid }),
      ...(startedAt !== undefined && { started_at: startedAt }),
      ...(problem !== undefined && { error: problem }),
      ...(nextRestartAt !== undefined && { next_restart_at: nextRestartAt }),
    },
  }
}
