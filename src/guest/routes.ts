import { Path } from '../protocol/index.ts'
import * as files from './files/routes.ts'
import { idleState, setIdleStop } from './idle/route.ts'
import type { Handler, Request } from './request.ts'
import { portEvents } from './ports/route.ts'
import { acceptOne, listenFor } from './reverse.ts'
import { serviceRoute } from './services/index.ts'
import { sessionRoute } from './session-routes.ts'
import { handleAttach, handleExec } from './sessions/index.ts'
import { openTunnel } from './tunnel/http.ts'
import { GuestError } from './wire.ts'

const table: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  [`GET ${Path.hello}`, (request) => request.json(request.guest.hello())],
  [`POST ${Path.exec}`, ({ guest, stream }) => handleExec(guest.engine, stream)],
  [`POST ${Path.attach}`, ({ guest, stream }) => handleAttach(guest.engine, stream)],
  [`GET ${Path.sessions}`, (request) => request.json({ sessions: request.guest.engine.list() })],
  [`GET ${Path.file}`, files.readFile],
  [`PUT ${Path.file}`, files.putFile],
  [`DELETE ${Path.file}`, files.removeFile],
  [`GET ${Path.stat}`, files.statFile],
  [`GET ${Path.files}`, files.listFiles],
  [`POST ${Path.mkdir}`, files.makeDir],
  [`POST ${Path.rename}`, files.renameFile],
  [`POST ${Path.chmod}`, files.chmodFile],
  [`POST ${Path.chown}`, files.chownFile],
  [`POST ${Path.copy}`, files.copyFile],
  [`GET ${Path.watch}`, files.watchFiles],
  [`POST ${Path.listen}`, listenFor],
  [`POST ${Path.accept}`, acceptOne],
  [`GET ${Path.archive}`, files.readArchive],
  [`PUT ${Path.archive}`, files.putArchive],
  [`POST ${Path.tunnel}`, openTunnel],
  [`GET ${Path.ports}`, async (request) => request.json({ ports: await request.guest.ports.list() })],
  [`GET ${Path.portEvents}`, portEvents],
  [`GET ${Path.idle}`, idleState],
  [`PUT ${Path.idleStop}`, setIdleStop],
  [`POST ${Path.ending}`, ending],
  [`POST ${Path.exit}`, exit],
])

/** What answers a request, by method and path. */
export function route(request: Request): Handler {
  const handler = table.get(`${request.method} ${request.path}`) ?? sessionRoute(request) ?? serviceRoute(request)
  if (handler !== undefined) return handler
  throw new GuestError('unsupported', `this guest does not know ${request.method} ${request.path}`, { hint: 'amux computer restart' })
}

async function ending(request: Request): Promise<void> {
  const { reason } = await request.document()
  if (reason !== 'restored') throw new GuestError('invalid_argument', `sessions do not end as ${JSON.stringify(reason)}`)
  request.guest.engine.announce(reason)
  request.done()
}

function exit(request: Request): void {
  const { guest, stream } = request
  const { living } = guest.engine
  if (living > 0) throw new GuestError('conflict', `the guest cannot end: ${living === 1 ? 'a session lives' : `${living} sessions live`}`)
  // The answer leaves the process a moment after its stream has closed.
  stream.once('close', () => setTimeout(guest.exit, 50))
  request.done()
}
