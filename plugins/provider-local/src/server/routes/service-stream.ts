import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogChunk, ServiceInfo } from '../../../../../src/contract/index.ts'
import { lines } from '../http/call.ts'
import { Gong } from '../http/gong.ts'
import type { Served } from '../sprite/served.ts'

/** For the last words of one that has ended: until the first of them, and after it. */
const FIRST_WORD_MS = 1000
const LAST_WORD_MS = 100
const LOOK_MS = 50
/** Its last words may come before anybody listens: so many lines are read again, and what was known is left out. */
const AGAIN = 1000

/** Events of one service, a line each. */
export class ServiceTeller {
  readonly #response: ServerResponse
  readonly #say: (document: object) => void
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }

  constructor(response: ServerResponse) {
    this.#response = response
    this.#say = lines(response)
  }

  /** `time`: milliseconds of what is told late. */
  say(type: string, more: object = {}, time = Date.now()): void {
    this.#say({ type, ...more, timestamp: time })
  }

  /** It has said something. */
  heard = false

  output({ stream, data }: LogChunk, time?: number): void {
    this.heard = true
    const text = this.#decoders[stream].decode(data, { stream: true })
    if (text !== '') this.say(stream, { data: text }, time)
  }

  fail(error: unknown): void {
    this.say('error', { data: error instanceof Error ? error.message : String(error) })
  }

  complete(): void {
    this.say('complete')
    this.#response.end()
  }
}

/**
 * Does something that starts it, and tells what it says from then on, until the time is over or it has ended. `before`: as
 * it was; what that one still says comes before the new one's start, and what the new one says after it.
 */
export async function follow(served: Served, before: ServiceInfo, teller: ServiceTeller, duration: number, gone: AbortSignal, start: () => Promise<ServiceInfo>): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([gone, over.signal])
  const begun = new Gong()
  const known = await newestEnds(served, before.name, gone).catch(() => ({ stdout: 0, stderr: 0 }))
  const heard = hear(served, before, teller, known, begun.next(), signal)
  try {
    const info = await start()
    if (info.state !== 'failed') teller.say('started')
    begun.strike()
    if (info.state === 'failed') await tellEnd(teller, info)
    else await watch(served, info, duration, gone).then((ended) => ended && tellEnd(teller, ended))
  } catch (error) {
    teller.fail(error)
  }
  begun.strike()
  over.abort()
  await heard
  teller.complete()
}

async function hear({ computer }: Served, { name, startedAt }: ServiceInfo, teller: ServiceTeller, known: Ends, begun: Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of computer.services.logs(name, { follow: true, tail: AGAIN, signal })) {
      const data = chunk.data.subarray(Math.max(0, known[chunk.stream] - chunk.offset))
      if (data.length === 0) continue
      if (startedAt === undefined || chunk.startedAt !== startedAt) await begun
      teller.output({ ...chunk, data })
    }
  } catch {
    // Given up, or the sprite is gone: what was heard was told.
  }
}

type Ends = Readonly<Record<LogChunk['stream'], number>>

/** How far its log is, in each stream that its newest start wrote to. */
async function newestEnds({ computer }: Served, name: string, signal: AbortSignal): Promise<Ends> {
  const ends = { stdout: 0, stderr: 0 }
  for (const stream of ['stdout', 'stderr'] as const) {
    for await (const { offset, data } of computer.services.logs(name, { stream, tail: 1, signal })) ends[stream] = offset + data.length
  }
  return ends
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
