import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogChunk, ServiceInfo } from '../../../../../src/contract/index.ts'
import { lines } from '../http/call.ts'
import type { Served } from '../sprite/served.ts'

/** For the last words of one that has ended: until the first of them, and after it. */
const FIRST_WORD_MS = 1000
const LAST_WORD_MS = 100
const LOOK_MS = 50

/** Events of one service, a line each. */
export class ServiceTeller {
  readonly #response: ServerResponse
  readonly #name: string
  readonly #say: (document: object) => void
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }

  constructor(response: ServerResponse, name: string) {
    this.#response = response
    this.#name = name
    this.#say = lines(response)
  }

  say(type: string, more: object = {}): void {
    this.#say({ type, ...more, timestamp: Date.now() })
  }

  /** It has said something. */
  heard = false

  output(stream: LogChunk['stream'], data: Uint8Array): void {
    this.heard = true
    const text = this.#decoders[stream].decode(data, { stream: true })
    if (text !== '') this.say(stream, { data: text })
  }

  fail(error: unknown): void {
    this.say('error', { data: error instanceof Error ? error.message : String(error) })
  }

  complete(): void {
    const log = (kind: string) => `/.sprite/logs/services/${this.#name}.${kind}`
    this.say('complete', { log_files: { stdout: log('stdout.log'), stderr: log('stderr.log'), combined: log('log') } })
    this.#response.end()
  }
}

/** Does something that starts it, and tells what it says from then on, until the time is over or it has ended. */
export async function follow(served: Served, name: string, teller: ServiceTeller, duration: number, gone: AbortSignal, start: () => Promise<ServiceInfo>): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([gone, over.signal])
  const heard = hear(served, name, teller, signal)
  try {
    const info = await start()
    if (info.state === 'failed') await tellEnd(teller, info)
    else {
      teller.say('started')
      await watch(served, info, duration, gone).then((ended) => ended && tellEnd(teller, ended))
    }
  } catch (error) {
    teller.fail(error)
  }
  over.abort()
  await heard
  teller.complete()
}

async function hear({ computer }: Served, name: string, teller: ServiceTeller, signal: AbortSignal): Promise<void> {
  try {
    for await (const { stream, data } of computer.services.logs(name, { follow: true, tail: 0, signal })) teller.output(stream, data)
  } catch {
    // Given up, or the sprite is gone: what was heard was told.
  }
}

/** Until the time is over; its state if it ended before. */
async function watch({ computer }: Served, { name, pid }: ServiceInfo, duration: number, gone: AbortSignal): Promise<ServiceInfo | undefined> {
  for (const end = performance.now() + duration; performance.now() < end && !gone.aborted; await sleep(LOOK_MS)) {
    const now = await computer.services.get(name)
    if (now.state === 'failed' || now.pid !== pid) return now
  }
  return undefined
}

async function tellEnd(teller: ServiceTeller, { problem = '' }: ServiceInfo): Promise<void> {
  for (const end = performance.now() + FIRST_WORD_MS; !teller.heard && performance.now() < end; ) await sleep(LOOK_MS)
  await sleep(LAST_WORD_MS)
  const [, code] = /status (\d+)/.exec(problem) ?? []
  if (code === undefined) teller.say('stderr', { data: `${problem}\n` })
  teller.say('exit', { exit_code: code === undefined ? 127 : Number(code) })
}
