import type { ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import type { Call } from './call.ts'
import { refuse } from './errors.ts'

export type Handler = (call: Call, response: ServerResponse) => void | Promise<void>
/** Whatever is thrown before `upgrade` is an ordinary answer. */
export type SocketHandler = (call: Call, upgrade: Upgrade) => void | Promise<void>
export type Upgrade = (headers?: Readonly<Record<string, string>>) => Promise<WebSocket>

/** `GET /v1/sprites/:name`; a WebSocket's method is `WS`. */
export interface Routes {
  readonly [route: string]: Handler | SocketHandler
}

interface Entry {
  readonly method: string
  readonly parts: readonly string[]
  readonly handler: Handler | SocketHandler
}

export interface Match {
  readonly handler: Handler | SocketHandler
  readonly params: Readonly<Record<string, string>>
}

export class Router {
  readonly #entries: readonly Entry[]

  constructor(...tables: readonly Routes[]) {
    this.#entries = tables.flatMap((table) =>
      Object.entries(table).map(([route, handler]) => {
        const [method = '', path = ''] = route.split(' ')
        return { method, parts: path.split('/').slice(1), handler }
      }),
    )
  }

  /** 404 for a path that is none, 405 for another method. */
  find(method: string, path: string): Match {
    const words = decoded(path)
    const fitting = this.#entries.filter(({ parts }) => parts.length === words.length && parts.every((part, at) => part.startsWith(':') || part === words[at]))
    const exact = fitting.toSorted((a, b) => wildcards(a) - wildcards(b)).find((entry) => entry.method === method)
    if (!exact) throw fitting.length === 0 ? refuse(404, 'not_found', `there is no ${path}`) : refuse(405, 'method_not_allowed', `${path} does not take ${method === 'WS' ? 'a WebSocket' : method}`)
    const params = exact.parts.flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), words[at] ?? ''] as const] : []))
    return { handler: exact.handler, params: Object.fromEntries(params) }
  }
}

function wildcards({ parts }: Entry): number {
  return parts.filter((part) => part.startsWith(':')).length
}

function decoded(path: string): readonly string[] {
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    throw refuse(400, 'invalid_path', 'the path is badly escaped')
  }
}
