import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type Bench, serve } from './support.ts'
import { begin, get } from './talk.ts'

const at = '/v1/sprites/raw/fs'

interface Failure {
  readonly error: string
  readonly code?: string
  readonly path?: string
}

describe('the server, on the wire: files', () => {
  let bench: Bench
  before(async () => {
    bench = await serve()
    await get(bench, '/v1/sprites', { method: 'POST', body: '{"name":"raw"}' })
    for (const path of ['plain', 'full/x']) await get(bench, `${at}/write?path=${path}`, { method: 'PUT', body: 'x' })
  })
  after(() => bench.end())

  it('fail with the code of what stands in the way, and words that fit it', async () => {
    const tell = (path: string, document: object) => ['POST', path, JSON.stringify(document)] as const
    for (const [[method, path, body], status, code, words] of [
      [['PUT', 'write?path=full', 'x'], 400, 'EISDIR', /is a directory/],
      [['PUT', 'write?path=plain/below', 'x'], 400, 'ENOTDIR', /not a directory/],
      [['PUT', 'write?path=plain/far/below', 'x'], 400, 'ENOTDIR', /not a directory/],
      [['PUT', 'write?path=new&mode=rw', 'x'], 400, 'EINVAL', /octal/],
      [['GET', 'read?path=/dev/zero'], 400, 'EINVAL', /no regular file/],
      [['GET', 'read?path=full'], 400, 'EISDIR', /is a directory/],
      [['GET', 'read?path=plain/below'], 400, 'ENOTDIR', /not a directory/],
      [['GET', 'read?path=none'], 404, 'ENOENT', /no such file/],
      [['GET', 'list?path=none'], 404, 'ENOENT', /no such file/],
      [['DELETE', 'delete?path=full'], 400, 'ENOTEMPTY', /not empty/],
      [['DELETE', 'delete?path=/proc'], 400, 'EBUSY', /busy/],
      [tell('chmod', { path: 'plain', mode: 511 }), 400, 'EINVAL', /mode is octal text/],
      [tell('chmod', { path: 'plain', mode: '9' }), 400, 'EINVAL', /octal/],
      [tell('chmod', { path: 'plain' }), 400, 'EINVAL', /mode is missing/],
      [tell('copy', { source: 'full', dest: 'other' }), 400, 'EISDIR', /is a directory/],
      [tell('rename', { source: 'plain', dest: 'full' }), 400, 'EISDIR', /directory/],
    ] as const) {
      const { status: got, body: said } = await get<Failure>(bench, `${at}/${path}`, { method, ...(body !== undefined && { body }) })
      expect([got, said.code], `${method} ${path} ${body}: ${said.error}`).to.deep.equal([status, code])
      expect(said.error, `${method} ${path}`).to.match(words)
    }
  })

  it('are listed whatever below them may not be looked into', async () => {
    const { info, closed, socket } = await begin(bench, 'raw', ['sleep', '1000'], { max_run_after_disconnect: '1ms' })
    const { status, body } = await get<{ entries: { path: string; type: string }[] }>(bench, `${at}/list?path=/proc&recursive=true`)
    expect(status).to.equal(200)
    const found = new Map(body.entries.map(({ path, type }) => [path, type]))
    // Its user's alone to see.
    expect([found.get(`/proc/${info.session_id}/cwd`), found.get('/proc/sys/kernel')]).to.deep.equal(['symlink', 'directory'])
    socket.terminate()
    await closed
  })

  it('say how long they are to one who reads behind their end', async () => {
    const { status, headers, body } = await get<Failure>(bench, `${at}/read?path=plain`, { headers: { range: 'bytes=5-' } })
    expect([status, headers.get('content-range'), body]).to.deep.equal([416, 'bytes */1', { error: 'the range begins behind the end: /home/amux/plain has 1 bytes', code: 'EINVAL', path: '/home/amux/plain' }])
  })
})
