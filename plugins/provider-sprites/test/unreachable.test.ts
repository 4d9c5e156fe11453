import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type RequestListener, type Server, createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AmuxError } from '../../../src/contract/index.ts'
import type { Scratch } from '../../../test/support/amux.ts'
import { scratchWith } from '../../../test/support/plugins.ts'
import { Client } from '../src/service/client.ts'

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What is asked and fails, and how often it was tried again. */
async function ask(url: string): Promise<{ readonly error: AmuxError; readonly again: number }> {
  let again = 0
  const client = new Client({ url, token: 't', debug: (text) => (text.startsWith('trying again') ? again++ : undefined) })
  const error = await client.json('GET', '/v1/sprites').then(() => new Error('it answered'), (reason: unknown) => reason)
  client.close()
  return { error: error as AmuxError, again }
}

describe('a Sprites API that cannot be used', function () {
  this.timeout(60_000)
  const servers: Server[] = []
  let dir: string
  let plain: Server
  let secure: Server
  let answer: Answer = { status: 200 }
  let asked = 0
  const port = (server: Server) => (server.address() as AddressInfo).port

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'amux-unreachable-'))
    const [key, cert] = [join(dir, 'key'), join(dir, 'cert')]
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=localhost'], { stdio: 'ignore' })
    const listener: RequestListener = (_request, response) => {
      asked++
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body)
    }
    plain = createServer(listener)
    secure = createSecureServer({ key: await readFile(key), cert: await readFile(cert) }, listener)
    for (const server of [plain, secure]) {
      servers.push(server)
      await once(server.listen(0, '127.0.0.1'), 'listening')
    }
  })
  after(async () => {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
    await rm(dir, { recursive: true, force: true })
  })

  it('is not waited for where nothing listens on this machine', async () => {
    const gone = createServer()
    await once(gone.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${port(gone)}`
    gone.close()
    const { error, again } = await ask(url)
    expect(error).to.include({ code: 'unavailable', hint: 'Is it started? amux local server start' })
    expect(error.message).to.match(/^nothing answers at 127\.0\.0\.1:\d+$/)
    expect(again).to.equal(0)
  })

  it('is waited for where it answered before', async () => {
    answer = { status: 200, body: '{}' }
    const flaky = createServer((_request, response) => response.writeHead(200, { connection: 'close' }).end('{}'))
    await once(flaky.listen(0, '127.0.0.1'), 'listening')
    const at = port(flaky)
    const client = new Client({ url: `http://127.0.0.1:${at}`, token: 't', debug: (text) => (text.startsWith('trying again') ? flaky.listen(at, '127.0.0.1') : undefined) })
    await client.json('GET', '/v1/sprites')
    flaky.close()
    flaky.closeAllConnections()
    await once(flaky, 'close')
    expect(await client.json('GET', '/v1/sprites')).to.deep.equal({})
    client.close()
    flaky.close()
  })

  const cases: Readonly<Record<string, { readonly url: () => string; readonly answer?: Answer; readonly says: RegExp; readonly hint: RegExp }>> = {
    'whose certificate nobody knows': { url: () => `https://127.0.0.1:${port(secure)}`, says: /certificate of .* is not trusted/, hint: /NODE_EXTRA_CA_CERTS=/ },
    'that speaks no TLS': { url: () => `https://127.0.0.1:${port(plain)}`, says: /speaks no TLS$/, hint: /begins with https:/ },
    'that speaks TLS only': { url: () => `http://127.0.0.1:${port(secure)}`, says: /speaks TLS only$/, hint: /begin with https:/ },
    'that sends one elsewhere': { url: () => `http://127.0.0.1:${port(plain)}`, answer: { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, says: /redirection \(302\)/, hint: /provider info sprites/ },
    'that is a web page': { url: () => `http://127.0.0.1:${port(plain)}`, answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }, says: /web page/, hint: /provider info sprites/ },
    'that refuses': { url: () => `http://127.0.0.1:${port(plain)}`, answer: { status: 403, body: '{"error":"forbidden"}' }, says: /^the Sprites API does not let this token do that \(403\): forbidden$/, hint: /provider login sprites/ },
    'that talks nonsense': { url: () => `http://127.0.0.1:${port(plain)}`, answer: { status: 200, body: '{"sprites":' }, says: /^the Sprites API answered with something that is no JSON: "{\\"sprites\\":"$/, hint: /provider info sprites/ },
  }
  for (const [name, { url, answer: given, says, hint }] of Object.entries(cases)) {
    it(`${name} is asked once, and it is said what the matter is`, async () => {
      answer = given ?? { status: 200, body: '{}' }
      asked = 0
      const { error, again } = await ask(url())
      expect(error.message).to.match(says)
      expect(error.hint).to.match(hint)
      expect([again, asked > 1]).to.deep.equal([0, false])
    })
  }

  it('that fails says with which status, and what next', async () => {
    answer = { status: 500, body: 'boom' }
    const { error, again } = await ask(`http://127.0.0.1:${port(plain)}`)
    expect(error.message).to.equal('the Sprites API failed (500): boom')
    expect(error.hint).to.include('amux provider test sprites')
    expect(again).to.equal(4)
  })

  it('that has a limit says how long to wait, and that amux has waited', async () => {
    answer = { status: 429, headers: { 'retry-after': '1' }, body: '{"error":"sprite_creation_rate_limited","message":"too many","limit":10,"window_seconds":60}' }
    const { error } = await ask(`http://127.0.0.1:${port(plain)}`)
    expect(error.message).to.match(/^too many \(limit 10 in 60 s\); amux has waited \d+ s$/)
    expect(error.hint).to.equal('Try again in 1 s.')
  })

  it('is not asked for anything with a token that cannot be one, and where that is from is said', async () => {
    expect(() => new Client({ url: 'https://api.sprites.dev', token: 'a\nb', debug: () => {} })).to.throw('the token that was saved has a character that no token has: a line break')
    let scratch: Scratch | undefined
    try {
      scratch = await scratchWith('sprites')
      const { status, stderr } = await scratch.run(['provider', 'test', 'sprites'], { env: { SPRITE_TOKEN: undefined, SPRITES_TOKEN: 'org/secret\nx' } })
      expect([status, stderr.includes('secret')]).to.deep.equal([2, false])
      expect(stderr).to.include('the token in SPRITES_TOKEN has a character')
    } finally {
      await scratch?.dispose()
    }
  })

  it('that does not know the token is asked once by create', async () => {
    answer = { status: 401, body: '{"error":"unauthorized"}' }
    const scratch = await scratchWith('sprites')
    asked = 0
    const { status } = await scratch.run(['computer', 'create', '-P', 'sprites'], { env: { SPRITES_TOKEN: 't', SPRITES_API_URL: `http://127.0.0.1:${port(plain)}` } })
    expect([status, asked]).to.deep.equal([4, 1])
    await scratch.dispose()
  })
})
