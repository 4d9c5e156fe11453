import type { ServerResponse } from 'node:http'
import type { RestoreOptions } from '../../../../../src/contract/index.ts'
import { type Call, json, lines } from '../http/call.ts'
import { answerTo, refuse } from '../http/errors.ts'
import { poured } from '../http/pour.ts'
import type { Routes } from '../http/router.ts'

/** What Sprites have no call for and local computers can do. Nobody needs it who speaks the Sprites API alone. */
export const extensionRoutes: Routes = {
  'GET /v1/sprites/:name/amux/info': async (call: Call, response: ServerResponse) => {
    json(response, 200, await (await call.sprite()).info())
  },
  'GET /v1/sprites/:name/amux/checkpoints': async (call: Call, response: ServerResponse) => {
    json(response, 200, await (await call.sprite()).computer.checkpoints.list())
  },
  'POST /v1/sprites/:name/amux/checkpoints/:id/restore': async (call: Call, response: ServerResponse) => {
    const { paths, keepWorkspace } = await call.document()
    const { computer } = await call.sprite()
    const options: RestoreOptions = { ...(Array.isArray(paths) && { paths: paths.map(String) }), ...(keepWorkspace === true && { keepWorkspace }) }
    json(response, 200, await computer.checkpoints.restore(call.param('id'), options))
  },
  'GET /v1/sprites/:name/amux/checkpoints/:id/diff': async (call: Call, response: ServerResponse) => {
    const { computer } = await call.sprite()
    await documents(response, computer.checkpoints.diff(call.param('id'), call.query.get('to') ?? undefined, { signal: call.signal }))
  },
  'GET /v1/sprites/:name/amux/checkpoints/:id/read': async (call: Call, response: ServerResponse) => {
    const { computer } = await call.sprite()
    await bytes(response, computer.checkpoints.read(call.param('id'), call.text('path'), { signal: call.signal }))
  },
  'GET /v1/sprites/:name/amux/checkpoints/:id/export': async (call: Call, response: ServerResponse) => {
    const { computer } = await call.sprite()
    await bytes(response, computer.checkpoints.export(call.param('id'), { signal: call.signal }))
  },
  'POST /v1/sprites/:name/amux/import': async (call: Call, response: ServerResponse) => {
    const { computer } = await call.sprite()
    const message = call.query.get('message')
    json(response, 200, await computer.checkpoints.import(whole(call), { signal: call.signal, withoutSystem: call.flag('without-system'), ...(message !== null && { message }) }))
  },
  'GET /v1/sprites/:name/amux/network/log': async (call: Call, response: ServerResponse) => {
    const { computer } = await call.sprite()
    await documents(response, computer.network.log({ follow: call.flag('follow'), denied: call.flag('denied'), signal: call.signal }))
  },
}

/** The last line says what went wrong, where something did. */
async function documents(response: ServerResponse, source: AsyncIterable<object>): Promise<void> {
  let say: ((document: object) => void) | undefined
  try {
    for await (const document of source) {
      say ??= lines(response)
      say(document)
    }
    say ??= lines(response)
  } catch (error) {
    // Before the first line it is an ordinary answer.
    if (!say) throw error
    say({ error: answerTo(error).body })
  }
  response.end()
}

async function bytes(response: ServerResponse, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of source) {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/octet-stream' })
    if (!(await poured(response, chunk))) return
  }
  response.end()
}

/** A part never passes for the whole. */
async function* whole(call: Call): AsyncGenerator<Uint8Array, void> {
  yield* call.chunks()
  if (!call.request.complete) throw refuse(400, 'invalid_request', 'the upload broke off')
}
