import type { ServerResponse } from 'node:http'
import { type Call, json, nothing } from '../http/call.ts'
import type { Routes } from '../http/router.ts'

/** Below a sprite's path from outside, at the root on its own management socket. */
export const taskRoutes: Routes = {
  'GET /v1/sprites/:name/tasks': async (call: Call, response: ServerResponse) => {
    json(response, 200, { tasks: (await call.sprite()).tasks.list() })
  },
  'POST /v1/sprites/:name/tasks': async (call: Call, response: ServerResponse) => {
    const { name, expire } = await call.document()
    json(response, 201, (await call.sprite()).tasks.create(name, expire))
  },
  'PUT /v1/sprites/:name/tasks': async (call: Call, response: ServerResponse) => {
    const { name, expire } = await call.document()
    json(response, 200, (await call.sprite()).tasks.put(name, expire))
  },
  'GET /v1/sprites/:name/tasks/:task': async (call: Call, response: ServerResponse) => {
    json(response, 200, (await call.sprite()).tasks.get(call.param('task')))
  },
  'PUT /v1/sprites/:name/tasks/:task': async (call: Call, response: ServerResponse) => {
    const { expire } = await call.document()
    json(response, 200, (await call.sprite()).tasks.put(call.param('task'), expire))
  },
  'DELETE /v1/sprites/:name/tasks/:task': async (call: Call, response: ServerResponse) => {
    ;(await call.sprite()).tasks.remove(call.param('task'))
    nothing(response)
  },
}
