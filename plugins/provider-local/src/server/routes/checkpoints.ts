import type { ServerResponse } from 'node:http'
import type { CheckpointInfo } from '../../../../../src/contract/index.ts'
import { type Call, json, lines, nothing } from '../http/call.ts'
import { codeOf, refuse } from '../http/errors.ts'
import type { Routes } from '../http/router.ts'

export const checkpointRoutes: Routes = {
  'POST /v1/sprites/:name/checkpoint': create,
  'GET /v1/sprites/:name/checkpoints': list,
  'GET /v1/sprites/:name/checkpoints/:id': async (call: Call, response: ServerResponse) => {
    const { computer } = await call.sprite()
    json(response, 200, documentOf(await computer.checkpoints.get(call.param('id'))))
  },
  'POST /v1/sprites/:name/checkpoints/:id/restore': restore,
  'DELETE /v1/sprites/:name/checkpoints/:id': async (call: Call, response: ServerResponse) => {
    const { computer } = await call.sprite()
    await computer.checkpoints.remove([call.param('id')])
    nothing(response)
  },
}

/** What the service says, line for line. */
async function create(call: Call, response: ServerResponse): Promise<void> {
  const comment = commentOf(await call.document())
  const { computer } = await call.sprite()
  const say = teller(response)
  say('info', 'Creating checkpoint...')
  try {
    const { id } = await computer.checkpoints.create(comment === '' ? {} : { message: comment })
    say('info', 'Checkpoint created successfully')
    say('info', `  ID: ${id}`)
    say('info', `  Path: checkpoints/${id}`)
    say('complete', `Checkpoint ${id} created successfully`)
  } catch (error) {
    say('error', error)
  }
  response.end()
}

function commentOf({ comment }: Readonly<Record<string, unknown>>): string {
  if (typeof comment === 'string') return comment
  if (comment === undefined || comment === null) return ''
  throw refuse(400, 'invalid_request', 'comment is a text')
}

async function list(call: Call, response: ServerResponse): Promise<void> {
  const { computer } = await call.sprite()
  const all = await computer.checkpoints.list()
  const history = call.query.get('history')
  if (history !== null) {
    const from = all.findIndex(({ id }) => id === history)
    const text = (from < 0 ? [] : all.slice(from)).map(({ id, createdAt, message = '' }) => `${id}\t${createdAt}\t${message}\n`).join('')
    return void response.writeHead(200, { 'content-type': 'text/plain' }).end(text)
  }
  const shown = all.filter(({ kind }) => kind === 'manual' || call.flag('includeAuto'))
  const now = { id: 'Current', create_time: new Date().toISOString(), ...(shown[0] && { source_id: shown[0].id }) }
  json(response, 200, [now, ...shown.map(documentOf)])
}

async function restore(call: Call, response: ServerResponse): Promise<void> {
  const served = await call.sprite()
  const { checkpoints } = served.computer
  const { id } = await checkpoints.get(call.param('id'))
  const say = teller(response)
  say('info', `Restoring checkpoint ${id}...`)
  try {
    await checkpoints.restore(id)
    await served.wake()
    say('complete', `Checkpoint ${id} restored successfully`)
  } catch (error) {
    say('error', error)
  }
  response.end()
}

function teller(response: ServerResponse): (type: 'info' | 'complete' | 'error', what: unknown) => void {
  const say = lines(response)
  return (type, what) => {
    const text = what instanceof Error ? what.message : String(what)
    const code = codeOf(what)
    // The code is ours: the service gives a text alone.
    say({ type, [type === 'error' ? 'error' : 'data']: text, ...(code !== undefined && { code }), time: new Date().toISOString() })
  }
}

function documentOf({ id, createdAt, message, kind }: CheckpointInfo): object {
  return { id, create_time: createdAt, ...(message !== undefined && { comment: message }), is_auto: kind !== 'manual' }
}
