import { posix } from 'node:path'
import { type Call, parseDocument } from '../http/call.ts'
import { Outlet } from '../http/outlet.ts'
import type { Routes, Upgrade } from '../http/router.ts'
import type { Served } from '../sprite/served.ts'

export const watchRoutes: Routes = {
  'WS /v1/sprites/:name/fs/watch': async (call: Call, upgrade: Upgrade) => {
    const served = await call.sprite()
    await served.wake()
    const outlet = new Outlet(await upgrade())
    const gone = new AbortController()
    outlet.socket.on('close', () => gone.abort())
    outlet.socket.on('message', (data: Buffer, binary) => {
      if (!binary) void subscribe(served, outlet, data.toString(), gone.signal)
    })
  },
}

/** One subscription after another may be asked for. */
async function subscribe({ computer }: Served, outlet: Outlet, text: string, signal: AbortSignal): Promise<void> {
  try {
    const { type, paths, recursive, workingDir } = parseDocument(text)
    if (type !== 'subscribe' || !Array.isArray(paths) || paths.length === 0 || !paths.every((path) => typeof path === 'string')) throw new Error('write {type: "subscribe", paths: […]}')
    const { user } = await computer.info()
    const from = posix.resolve('/', user?.home ?? '/', typeof workingDir === 'string' ? workingDir : '')
    const events = await computer.files.watch(paths.map((path: string) => posix.resolve(from, path)), { recursive: recursive === true, signal })
    outlet.say({ type: 'subscribed', paths })
    for await (const { path, event, size, directory } of events) {
      outlet.say({ type: 'event', path, event, timestamp: new Date().toISOString(), isDir: directory, ...(size !== undefined && { size }) })
    }
  } catch (error) {
    if (!signal.aborted) outlet.say({ type: 'error', message: error instanceof Error ? error.message : String(error) })
  }
}
