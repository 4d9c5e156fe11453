import { posix } from 'node:path'
import type { FileEvent } from '../../../../../src/contract/index.ts'
import { type Call, parseDocument } from '../http/call.ts'
import { Outlet } from '../http/outlet.ts'
import type { Routes, Upgrade } from '../http/router.ts'
import { inTurn } from '../http/turns.ts'
import type { Served } from '../sprite/served.ts'

/** Of one socket at once, and paths of one. */
const SUBSCRIPTIONS_MOST = 64
const PATHS_MOST = 1000

export const watchRoutes: Routes = {
  'WS /v1/sprites/:name/fs/watch': async (call: Call, upgrade: Upgrade) => {
    const served = await call.sprite()
    await served.wake()
    const outlet = new Outlet(await upgrade())
    const gone = new AbortController()
    outlet.socket.on('close', () => gone.abort())
    let open = 0
    /** One subscription after another may be asked for. */
    inTurn(outlet.socket, async (text) => {
      try {
        if (open >= SUBSCRIPTIONS_MOST) throw new Error(`this connection has ${SUBSCRIPTIONS_MOST} subscriptions already`)
        const { paths, events } = await subscribe(served, text, gone.signal)
        open++
        void follow(outlet, events, gone.signal).finally(() => open--)
        await outlet.tell({ type: 'subscribed', paths })
      } catch (error) {
        await tellFailure(outlet, error, gone.signal)
      }
    })
  },
}

async function subscribe({ computer }: Served, text: string, signal: AbortSignal): Promise<{ readonly paths: readonly string[]; readonly events: AsyncIterable<FileEvent> }> {
  const { type, paths, recursive, workingDir } = parseDocument(text)
  if (type !== 'subscribe' || !Array.isArray(paths) || paths.length === 0 || !paths.every((path) => typeof path === 'string')) throw new Error('write {type: "subscribe", paths: […]}')
  if (paths.length > PATHS_MOST) throw new Error(`more than ${PATHS_MOST} paths in one subscription`)
  const { user } = await computer.info()
  const from = posix.resolve('/', user?.home ?? '/', typeof workingDir === 'string' ? workingDir : '')
  return { paths, events: await computer.files.watch(paths.map((path: string) => posix.resolve(from, path)), { recursive: recursive === true, signal }) }
}

/** At the client's pace: one that lags too far behind the computer is told that it does. */
async function follow(outlet: Outlet, events: AsyncIterable<FileEvent>, signal: AbortSignal): Promise<void> {
  try {
    for await (const { path, event, size, directory } of events) {
      if (!(await outlet.tell({ type: 'event', path, event, timestamp: new Date().toISOString(), isDir: directory, ...(size !== undefined && { size }) }))) return
    }
  } catch (error) {
    await tellFailure(outlet, error, signal)
  }
}

async function tellFailure(outlet: Outlet, error: unknown, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await outlet.tell({ type: 'error', message: error instanceof Error ? error.message : String(error) })
}
