import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type IncomingMessage, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { ErrorDocument, RunOptions, Scratch } from '../../../test/support/amux.ts'
import { scratchWith } from '../../../test/support/plugins.ts'
import { openExec } from '../src/exec/exec.ts'
import type { Sprite } from '../src/sprite.ts'
import { type Lab, lab } from './support.ts'

describe('amux sprites', function () {
  this.timeout(300_000)
  let at: Lab
  let web: Sprite
  let scratch: Scratch
  let env: NonNullable<RunOptions['env']>
  const run = (args: readonly string[], options: RunOptions = {}) => scratch.run(['sprites', ...args], { ...options, env: { ...env, ...options.env } })
  const json = <T>(args: readonly string[]) => scratch.json<T>(['sprites', ...args], { env })

  before(async () => {
    at = await lab()
    scratch = await scratchWith('sprites')
    env = { SPRITES_TOKEN: at.token, SPRITES_API_URL: at.url }
    web = await at.sprite('web')
  })
  after(async () => {
    at.client.close()
    await at.end()
    await scratch.dispose()
  })

  it('url: shows it and says who gets in, and changes that', async () => {
    const first = await run(['url', '-c', 'web'])
    expect(first).to.include({ status: 0, stderr: 'Only members of the organization get in.\n' })
    expect(first.stdout).to.match(/^https?:\/\/\S+\n$/)
    expect((await json(['url', '-c', 'web', '--auth', 'public'])).document).to.include({ computer: 'web', auth: 'public' })
    expect((await json(['url', '-c', 'web'])).document).to.include({ auth: 'public' })
    expect((await run(['url', '-c', 'web', '--auth', 'nobody'])).status).to.equal(2)
  })

  it('api: prints what came, byte for byte, below the sprite or anywhere', async () => {
    await at.client.upload('PUT', '/v1/sprites/web/fs/write', Buffer.from([0, 255, 10, 13, 128]), { query: { path: '/home/amux/bytes', workingDir: '/' } })
    expect(JSON.parse((await run(['api', 'get', '/v1/sprites'])).stdout)).to.have.property('sprites')
    expect(JSON.parse((await run(['api', 'GET', '', '-c', 'web'])).stdout)).to.include({ name: 'web' })
    const { document } = await json<{ status: number; body: string }>(['api', 'GET', 'fs/read?path=bytes&workingDir=/home/amux', '-c', 'web'])
    expect([document.status, document.body.length]).to.deep.equal([200, 5])
    const listed = await run(['api', 'GET', '/fs/list?path=/home/amux&workingDir=/', '-c', 'web'])
    expect(listed.stdout).to.include('"bytes"')
  })

  it('api: sends a body from its argument, a file and standard input', async () => {
    const policy = JSON.stringify({ labels: ['amux', 'a'] })
    await writeFile(join(scratch.project, 'policy.json'), policy.replace('"a"', '"b"'))
    for (const [data, label] of [[policy, 'a'], ['@policy.json', 'b'], ['-', 'c']] as const) {
      const sent = await run(['api', 'PUT', '/v1/sprites/web', '-d', data], { input: policy.replace('"a"', '"c"') })
      expect(sent.status, sent.stderr).to.equal(0)
      expect(await at.client.json('GET', '/v1/sprites/web')).to.deep.include({ labels: ['amux', label] })
    }
    expect((await run(['api', 'PUT', '/v1/sprites/web', '-d', '@no-such'])).status).to.equal(3)
  })

  it('api: a failure is one, its body printed all the same, and the token never', async () => {
    const { status, stdout, stderr } = await run(['api', 'GET', '/services/none', '-c', 'web'])
    expect([status, JSON.parse(stdout)]).to.have.nested.property('[0]', 3)
    expect(stderr).to.include('none')
    const refused = await run(['api', 'GET', '/v1/sprites'], { env: { SPRITES_TOKEN: 'wrong/token' } })
    expect(refused.status).to.equal(4)
    expect(refused.stdout + refused.stderr).to.not.include('wrong/token')
    expect((await json<ErrorDocument>(['api', 'GET', '/v1/nothing'])).document.error.code).to.be.oneOf(['not_found', 'unsupported'])
    for (const header of ['no header', 'Bad Name: x', 'A: b\r\nC: d']) expect((await run(['api', 'GET', '/v1/sprites', '-H', header])).status, header).to.equal(2)
    for (const method of ['G/T', 'FOO']) expect((await json<ErrorDocument>(['api', method, '/v1/sprites'])).document.error.hint, method).to.include('GET, POST, PUT')
  })

  it('checkpoints: as the service has them', async () => {
    for await (const _ of at.client.events('POST', '/v1/sprites/web/checkpoint', { body: { comment: 'first' } })) void _
    const { document } = await json<{ id: string; comment?: string }[]>(['checkpoints', '-c', 'web'])
    expect(document.map(({ id, comment }) => [id, comment])).to.deep.equal([['Current', undefined], ['v1', 'first']])
    expect((await run(['checkpoints', '-c', 'web', '--auto'])).stdout).to.match(/^ID +CREATED.*\nCurrent .*\nv1 .*first/)
    expect((await run(['checkpoints', '-c', 'web', '--history', 'v1'])).stdout).to.include('first')
    expect((await json<ErrorDocument>(['checkpoints', '-c', 'web', '--history', 'v99'])).document.error).to.include({ code: 'not_found', message: 'there is no checkpoint "v99" on web' })
  })

  it('restart and upgrade: ask first, and are back when they say so', async () => {
    expect((await run(['restart', '-c', 'web'])).status).to.equal(5)
    const program = await openExec(web, ['sleep', '1000'])
    expect(await run(['restart', '-c', 'web', '--yes'])).to.include({ status: 0, stdout: 'web runs again\n' })
    program.leave(new Error('the test is over'))
    const left = await web.run(['sh', '-c', 'grep -lx sleep /proc/[0-9]*/comm'])
    expect(left.stdout.toString()).to.equal('')
    expect((await run(['upgrade', '-c', 'web'])).status).to.equal(5)
    expect((await run(['upgrade', '-c', 'web', '-y'])).status).to.be.oneOf([0, 4])
  })

  it('on a computer that is not there: says so', async () => {
    for (const words of [['url'], ['restart', '-y'], ['policy', 'resources', 'get'], ['api', 'GET', '/services']]) {
      const { status, stderr } = await run([...words, '-c', 'nobody'])
      expect(status, words.join(' ')).to.equal(3)
      expect(stderr).to.include('nobody')
    }
    expect((await run(['url'])).status).to.equal(3)
  })

  it('policy: shows, and says what this server does not do', async () => {
    expect((await json(['policy', 'privileges', 'get', '-c', 'web'])).document).to.include({ computer: 'web' })
    expect((await run(['policy', 'resources', 'reset', '-c', 'web'])).stdout).to.equal("web has the service's own resources\n")
    expect((await run(['policy', 'resources', 'set', '--memory', '8GB', '-c', 'web'])).status).to.equal(4)
  })
})

describe('amux sprites policy, where the service has one', function () {
  this.timeout(300_000)
  let scratch: Scratch
  let service: Policies
  const run = (...words: string[]) => scratch.run(['sprites', 'policy', ...words, '-c', 'web'], { env: { SPRITES_TOKEN: 't', SPRITES_API_URL: service.url } })

  before(async () => {
    scratch = await scratchWith('sprites')
    service = await Policies.start()
  })
  after(async () => {
    service.close()
    await scratch.dispose()
  })

  it('sets what was said, shows it, and takes it back', async () => {
    expect(await run('resources', 'set', '--memory', '8GB', '--autoscale')).to.include({ status: 0, stdout: 'memory: {"limit_mb":8192,"autoscale":true}\n' })
    expect(service.documents.get('resources')).to.deep.equal({ memory: { limit_mb: 8192, autoscale: true } })
    expect(await run('privileges', 'set', '--profile', 'minimal', '--device', '/dev/fuse', '--device', '/dev/kvm', '--no-new-privileges')).to.include({ status: 0 })
    expect(service.documents.get('privileges')).to.deep.equal({ profile: 'minimal', devices: ['/dev/fuse', '/dev/kvm'], noNewPrivileges: true })
    expect(await run('privileges', 'reset')).to.include({ status: 0, stdout: "web has the service's own privileges\n" })
    expect(service.documents.has('privileges')).to.equal(false)
  })

  it('sends nothing that makes no sense', async () => {
    service.documents.clear()
    for (const words of [['resources', 'set', '--memory', '8'], ['resources', 'set'], ['privileges', 'set'], ['privileges', 'set', '--profile', 'root']]) expect((await run(...words)).status, words.join(' ')).to.equal(2)
    expect(service.documents.size).to.equal(0)
  })
})

/** Keeps the documents of one sprite as they were sent. */
class Policies {
  readonly documents = new Map<string, unknown>()
  readonly #server: Server

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const kind = /\/policy\/(\w+)$/.exec(request.url ?? '')?.[1]
      if (kind !== undefined && request.method === 'POST') this.documents.set(kind, JSON.parse(await bodyOf(request)))
      if (kind !== undefined && request.method === 'DELETE') this.documents.delete(kind)
      const document = kind === undefined ? { name: 'web', status: 'running' } : (this.documents.get(kind) ?? {})
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
    })
  }

  static async start(): Promise<Policies> {
    const policies = new Policies()
    await once(policies.#server.listen(0, '127.0.0.1'), 'listening')
    return policies
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
