import type { ListeningPort } from '../../../../../src/contract/index.ts'
import type { Call } from '../http/call.ts'
import { notice } from '../sprite/notices.ts'
import { Outlet } from '../http/outlet.ts'
import type { Routes, Upgrade } from '../http/router.ts'

export const portRoutes: Routes = {
  'WS /v1/sprites/:name/ports/watch': async (call: Call, upgrade: Upgrade) => {
    const served = await call.sprite()
    const there = await served.awake((computer) => computer.ports.list())
    const outlet = new Outlet(await upgrade())
    const gone = new AbortController()
    outlet.socket.on('close', () => gone.abort())
    outlet.say({ type: 'port_list', ports: there.map(({ port, address, pid }) => ({ port, address, pid, type: 'port_opened' })) })
    const told = new Set(there.map(keyOf))
    try {
      // It begins with all that are there.
      for await (const event of served.computer.ports.events({ signal: gone.signal })) {
        if (event.type === 'opened' && told.delete(keyOf(event))) continue
        if (!(await outlet.tell(notice(event)))) return
      }
    } catch {
      outlet.socket.close(1011, 'the sprite does not answer')
    }
  },
}

function keyOf({ port, address, pid }: ListeningPort): string {
  return `${address} ${port} ${pid}`
}
