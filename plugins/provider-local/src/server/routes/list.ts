import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Call, json, lines } from '../http/call.ts'
import { ORGANIZATION, SPRITE_VERSION, spriteDocument, statusOf } from '../sprite/document.ts'
import { refuse } from '../http/errors.ts'
import type { Fleet } from '../sprite/fleet.ts'
import type { Routes } from '../http/router.ts'

const PAGE = 50
const LOOK_MS = 1000
const HEARTBEAT_MS = 15_000

export const listRoutes: Routes = { 'GET /v1/sprites': list }

type Row = Awaited<ReturnType<Fleet['list']>>[number]

async function list(call: Call, response: ServerResponse): Promise<void> {
  const prefix = call.query.get('prefix') ?? ''
  if (call.request.headers.accept?.includes('application/x-ndjson')) return watch(call, prefix, response)
  const all = await call.fleet.list('')
  const after = tokenOf(call.query.get('continuation_token'))
  const rows = all.filter(({ info }) => info.name.startsWith(prefix) && info.name > after)
  const size = sizeOf(call.query.get('max_results'))
  const page = rows.slice(0, size)
  const more = rows.length > size
  const counts = countsOf(all)
  json(response, 200, {
    sprites: page.map((row) => (call.flag('bulk_load') ? briefly(row) : spriteDocument(row.info, row.meta, call.fleet.urlOf))),
    has_more: more,
    next_continuation_token: more ? Buffer.from(page.at(-1)?.info.name ?? '').toString('base64url') : null,
    // Some SDKs read them here, others there.
    ...counts,
    org: counts,
  })
}

/** The first look in full, then what changes. */
async function watch(call: Call, prefix: string, response: ServerResponse): Promise<void> {
  const say = lines(response)
  const told = new Map<string, string>()
  for (let quiet = 0; !call.signal.aborted; quiet += LOOK_MS) {
    const all = await call.fleet.list('')
    const org = countsOf(all)
    for (const { info } of all.filter((row) => row.info.name.startsWith(prefix))) {
      const status = statusOf(info)
      if (told.get(info.name) === status) continue
      told.set(info.name, status)
      say({ name: info.name, status, running_version: SPRITE_VERSION, last_running_at: status === 'running' ? new Date().toISOString() : null, last_warming_at: null, org })
      quiet = 0
    }
    const names = new Set(all.map(({ info }) => info.name))
    for (const name of told.keys()) if (!names.has(name)) told.delete(name)
    if (quiet >= HEARTBEAT_MS) {
      say({ type: 'heartbeat', timestamp: new Date().toISOString(), org })
      quiet = 0
    }
    await sleep(LOOK_MS, undefined, { signal: call.signal }).catch(() => undefined)
  }
}

function countsOf(rows: readonly Row[]) {
  const running = rows.filter(({ info }) => statusOf(info) === 'running').length
  // No limit: as many as the machine has room for.
  return { name: ORGANIZATION, running, warm: 0, cold: rows.length - running, running_limit: 0, warm_limit: 0 }
}

function briefly({ info, meta }: Row): object {
  return { name: info.name, org_slug: ORGANIZATION, updated_at: meta.updatedAt }
}

/** Some SDKs ask for a hundred. */
function sizeOf(text: string | null): number {
  if (text === null || text === '') return PAGE
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Math.min(Number(text), PAGE)
  throw refuse(400, 'invalid_request', `max_results is a number from 1 to ${PAGE}`)
}

/** The last name of the page before. */
function tokenOf(text: string | null): string {
  if (text === null || text === '') return ''
  const name = Buffer.from(text, 'base64url').toString()
  if (/^[a-z0-9-]+$/.test(name)) return name
  throw refuse(400, 'invalid_request', 'continuation_token is none of this server')
}
