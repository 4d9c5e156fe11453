import type { ServerResponse } from 'node:http'
import { type Call, json, nothing } from '../http/call.ts'
import { spriteDocument, statusOf } from '../sprite/document.ts'
import { codeOf, refuse } from '../http/errors.ts'
import { newId } from '../sprite/meta.ts'
import type { Routes } from '../http/router.ts'
import type { Served } from '../sprite/served.ts'

const NAME = /^[a-z](?:[a-z0-9-]{0,53}[a-z0-9])?$/
const LABELS_MAX = 100

export const spriteRoutes: Routes = {
  'POST /v1/sprites': create,
  'GET /v1/sprites/:name': show,
  'PUT /v1/sprites/:name': update,
  'DELETE /v1/sprites/:name': async (call: Call, response: ServerResponse) => {
    await call.fleet.delete(await call.sprite())
    nothing(response)
  },
  'GET /v1/sprites/:name/check': check,
  // There is one runtime: the newest.
  'POST /v1/sprites/:name/upgrade': async (call: Call, response: ServerResponse) => {
    await call.sprite()
    nothing(response)
  },
  'POST /v1/sprites/:name/restart': restart,
}

async function create(call: Call, response: ServerResponse): Promise<void> {
  const { name, labels, environment, url_settings } = await call.document()
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw refuse(400, 'invalid_name', 'a name begins with a small letter, has at most 55 small letters, digits and dashes, and does not end with a dash')
  }
  try {
    const served = await call.fleet.create({ name, labels: labelsOf(labels ?? []), env: environmentOf(environment ?? {}), urlAuth: authOf(url_settings), id: newId() })
    json(response, 201, await documentOf(call, served))
  } catch (error) {
    throw codeOf(error) === 'already_exists' ? refuse(409, 'already_exists', `there is a sprite ${name} already`) : error
  }
}

async function show(call: Call, response: ServerResponse): Promise<void> {
  json(response, 200, await documentOf(call, await call.sprite()))
}

async function update(call: Call, response: ServerResponse): Promise<void> {
  const { labels, clear_labels, url_settings } = await call.document()
  const served = await call.sprite()
  await served.change({
    ...(labels !== undefined && { labels: labelsOf(labels) }),
    ...(clear_labels === true && { labels: [] }),
    ...(url_settings !== undefined && { urlAuth: authOf(url_settings) }),
  })
  json(response, 200, await documentOf(call, served))
}

async function check(call: Call, response: ServerResponse): Promise<void> {
  const served = await call.sprite()
  const [info, meta] = [await served.info(), await served.meta()]
  const sound = info.state !== 'broken'
  json(response, 200, { sprite_name: info.name, sprite_id: meta.id, status: sound ? 'ok' : 'error', reason: info.problem ?? null, checked_at: new Date().toISOString(), elapsed: null })
}

async function restart(call: Call, response: ServerResponse): Promise<void> {
  const served = await call.sprite()
  const meta = await served.meta()
  if (statusOf(await served.info()) === 'running') await served.computer.restart()
  else await served.wake()
  json(response, 202, { sprite_name: served.name, machine_id: meta.id, message: 'restarted' })
}

async function documentOf(call: Call, served: Served): Promise<object> {
  const info = await served.info()
  return spriteDocument(info, await served.meta(info), call.fleet.urlOf)
}

function labelsOf(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.length <= LABELS_MAX && value.every((label) => typeof label === 'string' && label.length <= 1000)) return value as string[]
  throw refuse(400, 'invalid_request', 'labels are a list of texts')
}

function environmentOf(value: unknown): Readonly<Record<string, string>> {
  const entries = value instanceof Object && !Array.isArray(value) ? Object.entries(value) : [['', 0] as const]
  if (entries.every(([key, text]) => /^[^=\0]+$/.test(key) && typeof text === 'string' && !text.includes('\0'))) return Object.fromEntries(entries) as Record<string, string>
  throw refuse(400, 'invalid_request', 'environment is a table of texts')
}

function authOf(value: unknown): string {
  if (value === undefined || value === null) return 'sprite'
  const auth = value instanceof Object && 'auth' in value ? value.auth : undefined
  if (auth === 'sprite' || auth === 'public') return auth
  throw refuse(400, 'invalid_request', 'url_settings.auth is sprite or public')
}
