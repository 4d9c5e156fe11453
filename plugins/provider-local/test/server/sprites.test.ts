import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bench, TOKEN, serve } from './support.ts'
import { begin, get } from './talk.ts'

interface Sprite {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly labels: readonly string[]
  readonly created_at: string
  readonly updated_at: string
}

interface Page {
  readonly sprites: readonly Sprite[]
  readonly has_more: boolean
  readonly next_continuation_token: string | null
  readonly running: number
  readonly org: { readonly running: number; readonly cold: number }
}

describe('the server, on the wire: sprites', () => {
  let bench: Bench
  before(async () => (bench = await serve()))
  after(() => bench.end())

  const create = (document: object) => get<Sprite>(bench, '/v1/sprites', { method: 'POST', body: JSON.stringify(document) })
  const list = async (query = '') => (await get<Page>(bench, `/v1/sprites${query}`)).body

  it('makes one of everything a client may say', async () => {
    const { status, body } = await create({
      name: 'one',
      config: { ram_mb: 512, cpus: 1, region: 'ord', storage_gb: 1 },
      environment: { MY_VALUE: 'from the environment' },
      url_settings: { auth: 'public', private_access: 'admins' },
      labels: ['a=b', 'c'],
      wait_for_capacity: true,
      runtime: 'dev',
    })
    expect(status).to.equal(201)
    expect(body).to.deep.include({ name: 'one', status: 'running', labels: ['a=b', 'c'], url_settings: { auth: 'public' } })
    expect(body.id).to.match(/^sprite-[0-9a-f-]{36}$/)
    expect(Number.isNaN(Date.parse(body.created_at) + Date.parse(body.updated_at))).to.equal(false)
    const talk = await begin(bench, 'one', ['printenv', 'MY_VALUE'])
    await talk.closed
    expect(talk.text(1)).to.equal('from the environment\n')
  })

  it('keeps no value of the environment, and its files to itself', async () => {
    const directory = join(bench.dataDir, 'server/sprites')
    for (const file of await readdir(directory)) {
      expect(await readFile(join(directory, file), 'utf8')).not.to.include('from the environment')
      expect((await stat(join(directory, file))).mode & 0o777).to.equal(0o600)
    }
    expect(JSON.stringify((await get(bench, '/v1/sprites/one')).body)).not.to.include('from the environment')
  })

  it('makes one of a name, however many ask', async () => {
    const statuses = (await Promise.all(Array.from({ length: 4 }, () => create({ name: 'two' })))).map(({ status }) => status)
    expect(statuses.toSorted()).to.deep.equal([201, 409, 409, 409])
  })

  it('lists page by page, by prefix, briefly, and counts in both places', async () => {
    await create({ name: 'three' })
    await (await bench.provider.get('two')).stop()
    const all = await list()
    expect(all.sprites.map(({ name, status }) => `${name} ${status}`)).to.deep.equal(['one running', 'three running', 'two cold'])
    expect([all.running, all.org.running, all.org.cold, all.has_more, all.next_continuation_token]).to.deep.equal([2, 2, 1, false, null])
    const names: string[] = []
    for (let token: string | null = ''; token !== null; ) {
      const page: Page = await list(`?max_results=1&continuation_token=${token}`)
      names.push(...page.sprites.map(({ name }) => name))
      token = page.next_continuation_token
    }
    expect(names).to.deep.equal(['one', 'three', 'two'])
    expect((await list('?prefix=t')).sprites.map(({ name }) => name)).to.deep.equal(['three', 'two'])
    expect(Object.keys((await list('?bulk_load=true')).sprites[0] ?? {})).to.deep.equal(['name', 'org_slug', 'updated_at'])
  })

  it('tells changes as they happen', async () => {
    const controller = new AbortController()
    const response = await fetch(`${bench.url}/v1/sprites?prefix=tw`, { signal: controller.signal, headers: { authorization: `Bearer ${TOKEN}`, accept: 'application/x-ndjson' } })
    let text = ''
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      text += Buffer.from(part).toString()
      if (text.includes('"running"') && text.split('\n').length > 2) break
      if (text.split('\n').length === 2) await (await bench.provider.get('two')).start()
    }
    controller.abort()
    const rows = text.trim().split('\n').map((line) => JSON.parse(line) as { name: string; status: string; org: object })
    expect(rows.map(({ name, status }) => `${name} ${status}`)).to.deep.equal(['two cold', 'two running'])
  })

  it('changes what is said and nothing else', async () => {
    const put = (body: string) => get<Sprite & { url_settings: object }>(bench, '/v1/sprites/one', { method: 'PUT', body })
    expect((await put('{}')).body).to.deep.include({ labels: ['a=b', 'c'], url_settings: { auth: 'public' } })
    expect((await put('{"url_settings":{"auth":"sprite"}}')).body).to.deep.include({ labels: ['a=b', 'c'], url_settings: { auth: 'sprite' } })
    expect((await put('{"clear_labels":true}')).body.labels).to.deep.equal([])
    expect((await put('{"labels":["z"]}')).status).to.equal(200)
  })

  it('is the same after another server took its place', async () => {
    const before = (await get<Sprite>(bench, '/v1/sprites/one')).body
    await bench.again()
    expect((await get<Sprite>(bench, '/v1/sprites/one')).body).to.deep.include({ id: before.id, labels: ['z'], updated_at: before.updated_at })
  })

  it('wakes one once, however many use it', async () => {
    await (await bench.provider.get('three')).stop()
    const talks = await Promise.all(Array.from({ length: 8 }, () => begin(bench, 'three', ['cat', '/proc/sys/kernel/random/boot_id'])))
    await Promise.all(talks.map(({ closed }) => closed))
    expect(talks.map(({ status }) => status)).to.deep.equal(Array.from({ length: 8 }, () => 0))
  })

  it('serves computers that it did not make, and knows another one under an old name', async () => {
    const made = await bench.provider.create({ name: 'theirs', labels: { team: 'x' } })
    const first = (await get<Sprite>(bench, '/v1/sprites/theirs')).body
    expect([first.labels, (await get<Sprite>(bench, '/v1/sprites/theirs')).body.id]).to.deep.equal([['team=x'], first.id])
    await made.delete()
    expect((await get(bench, '/v1/sprites/theirs')).status).to.equal(404)
    await (await bench.provider.create({ name: 'theirs', labels: {} })).close()
    const second = (await get<Sprite>(bench, '/v1/sprites/theirs')).body
    expect(second.id).not.to.equal(first.id)
    const talk = await begin(bench, 'theirs', ['echo', 'new'])
    await talk.closed
    expect(talk.text(1)).to.equal('new\n')
  })

  it('checks, upgrades, restarts and deletes with the statuses that clients wait for', async () => {
    expect((await get(bench, '/v1/sprites/one/check')).body).to.deep.include({ sprite_name: 'one', status: 'ok', reason: null })
    expect((await get(bench, '/v1/sprites/one/upgrade', { method: 'POST' })).status).to.equal(204)
    expect(await get(bench, '/v1/sprites/one/restart', { method: 'POST' })).to.deep.include({ status: 202 })
    const running = await begin(bench, 'one', ['sleep', '1000'])
    expect((await get(bench, '/v1/sprites/one', { method: 'DELETE' })).status).to.equal(204)
    // Never a status that nobody knows.
    await running.closed
    expect(running.status).to.be.oneOf([undefined, 137, 143])
    for (const [path, method] of [['one', 'GET'], ['one', 'DELETE'], ['one/check', 'GET'], ['one/exec', 'GET'], ['one/restart', 'POST']] as const) {
      expect((await get(bench, `/v1/sprites/${path}`, { method })).status, path).to.equal(404)
    }
    expect(await readdir(join(bench.dataDir, 'server/sprites'))).not.to.include('one.json')
  })
})

describe('the server, over TLS', () => {
  let directory: string
  let bench: Bench | undefined
  before(async () => (directory = await mkdtemp(join(tmpdir(), 'amux-tls-'))))
  after(async () => {
    await bench?.end()
    await rm(directory, { recursive: true, force: true })
  })

  it('answers those who trust its certificate', async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1', '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const ca = await readFile(cert, 'utf8')
    bench = await serve({ tls: { cert: ca, key: await readFile(key, 'utf8') } })
    expect(bench.url).to.match(/^https:/)
    const status = await new Promise((resolve, reject) => {
      request(`${bench?.url}/v1/sprites`, { ca, headers: { authorization: `Bearer ${TOKEN}` } }, (response) => resolve(response.resume().statusCode)).on('error', reject).end()
    })
    expect(status).to.equal(200)
  })
})
