import { once } from 'node:events'
import { WebSocket } from 'ws'
import { type Bench, TOKEN } from './support.ts'

/** One exec socket as a client without a library sees it. */
export class Talk {
  readonly socket: WebSocket
  readonly texts: Readonly<Record<string, unknown>>[] = []
  /** By the frame's first byte: 1, 2, 3. Whole messages of a terminal are under 0. */
  readonly bytes: Readonly<Record<number, Buffer[]>> = { 0: [], 1: [], 2: [], 3: [] }
  /** In the order they came: `session_info`, `1`, `3`, `exit`. */
  readonly order: string[] = []
  readonly closed: Promise<number>
  readonly #tty: boolean
  #news: () => void = () => {}

  constructor(socket: WebSocket, tty: boolean) {
    this.socket = socket
    this.#tty = tty
    socket.on('message', (data, binary) => this.#take(data as Buffer, binary))
    this.closed = new Promise((resolve) => socket.on('close', (code) => {
      resolve(code)
      this.#news()
    }))
    socket.on('error', () => undefined)
  }

  get info(): { readonly session_id: string; readonly is_owner: boolean; readonly tty: boolean; readonly stdout_offset?: number; readonly stderr_offset?: number } {
    return this.texts.find(({ type }) => type === 'session_info') as never
  }

  text(stream: number): string {
    return Buffer.concat(this.bytes[stream] ?? []).toString()
  }

  get status(): number | undefined {
    return this.bytes[3]?.[0]?.[0]
  }

  /** Until it holds; an error when the socket closes before. */
  async until(holds: (talk: this) => boolean): Promise<void> {
    while (!holds(this)) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`closed before: ${this.order.join(' ')}`)
      await new Promise<void>((resolve) => (this.#news = resolve))
    }
  }

  send(stream: number, data: string | Buffer = ''): void {
    this.socket.send(Buffer.concat([Buffer.from(this.#tty ? [] : [stream]), Buffer.from(data)]))
  }

  tell(document: object): void {
    this.socket.send(JSON.stringify(document))
  }

  #take(data: Buffer, binary: boolean): void {
    if (!binary) {
      const document = JSON.parse(data.toString()) as { readonly type: string }
      this.texts.push(document as never)
      this.order.push(document.type)
    } else if (data.length > 0) {
      const stream = this.#tty ? 0 : (data[0] ?? 0)
      this.bytes[stream]?.push(this.#tty ? data : data.subarray(1))
      if (this.order.at(-1) !== String(stream)) this.order.push(String(stream))
    }
    this.#news()
  }
}

export function dial(bench: Pick<Bench, 'url'>, path: string, { token = TOKEN, tty = false }: { readonly token?: string; readonly tty?: boolean } = {}): Talk {
  return new Talk(new WebSocket(`${bench.url.replace(/^http/, 'ws')}${path}`, { headers: { authorization: `Bearer ${token}` } }), tty)
}

/** Of a program, begun and greeted. */
export async function begin(bench: Pick<Bench, 'url'>, sprite: string, argv: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Talk> {
  const query = queryOf(argv, more)
  const talk = dial(bench, `/v1/sprites/${sprite}/exec?${query}`, { tty: more['tty'] === 'true' })
  await talk.until(({ info }) => info !== undefined)
  return talk
}

/** The status of a refused upgrade, and what it says. */
export async function refusal(bench: Pick<Bench, 'url'>, path: string, token?: string): Promise<{ readonly status: number; readonly error?: string }> {
  const { socket } = dial(bench, path, token === undefined ? {} : { token })
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, AsyncIterable<Buffer> & { readonly statusCode: number }]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part)
  return { status: response.statusCode, ...(JSON.parse(Buffer.concat(parts).toString()) as object) }
}

export async function get<T = unknown>(bench: Pick<Bench, 'url'>, path: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly body: T; readonly headers: Headers }> {
  const response = await fetch(`${bench.url}${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: (text.startsWith('{') && response.headers.get('content-type') === 'application/json' ? JSON.parse(text) : text) as T }
}

export function queryOf(argv: readonly string[], more: Readonly<Record<string, string>> = {}): URLSearchParams {
  const query = new URLSearchParams(more)
  for (const word of argv) query.append('cmd', word)
  return query
}
