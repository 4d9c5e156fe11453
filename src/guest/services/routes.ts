import { Path } from '../../protocol/index.ts'
import type { Handler, Request } from '../request.ts'
import { sendLogs } from '../session-routes.ts'
import { GuestError } from '../wire.ts'

const actions: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['GET', (request) => request.json(one(request).report())],
  ['PUT', set],
  ['DELETE', remove],
  ['POST start', async (request) => request.json(await request.guest.services.start(request.id))],
  ['POST stop', stop],
  ['POST restart', async (request) => request.json(await request.guest.services.restart(request.id))],
  ['POST signal', signal],
  ['GET wait', wait],
])

/** What answers a request below `/v1/services` and `/v1/runs`. */
export function serviceRoute(request: Request): Handler | undefined {
  const { method, path } = request
  if (path === Path.services && method === 'GET') return ({ guest }) => request.json({ services: guest.services.list() })
  const [, , folder, name, action, ...rest] = path.split('/')
  if (name === undefined || rest.length > 0) return undefined
  if (`/v1/${folder}` === Path.runs && method === 'GET' && action === 'logs') return ({ guest }) => sendLogs(guest.services.engine, request)
  if (`/v1/${folder}` !== Path.services) return undefined
  return actions.get(action === undefined ? method : `${method} ${action}`)
}

function one({ guest, id }: Request) {
  return guest.services.get(id)
}

async function set(request: Request): Promise<void> {
  const start = request.optional('start') !== '0'
  request.json(await request.guest.services.set(request.id, await request.document(), start))
}

async function remove(request: Request): Promise<void> {
  await request.guest.services.remove(request.id)
  request.done()
}

async function stop(request: Request): Promise<void> {
  const service = one(request)
  await service.stop()
  request.json(service.report())
}

async function signal(request: Request): Promise<void> {
  const { signal: name } = await request.document()
  if (typeof name !== 'string') throw new GuestError('invalid_argument', 'a signal is named by a word, as SIGHUP')
  const service = one(request)
  if (!service.signal(name)) throw new GuestError('not_running', `service ${service.name} does not run`, { hint: `amux computer service start ${service.name}` })
  request.done()
}

async function wait(request: Request): Promise<void> {
  const service = one(request)
  await service.after(request.text('run'), request.signal)
  request.json(service.report())
}
