import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../src/client.ts'
import { findEngine } from '../src/engine/find.ts'
import { failure } from './support.ts'

describe('which Docker engine', () => {
  let dir = ''
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'amux-find-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const find = (env: Record<string, string> = {}, setting?: string) => findEngine(setting, undefined, { HOME: dir, DOCKER_CONFIG: dir, ...env })

  function context(name: string, host: string): void {
    const id = createHash('sha256').update(name).digest('hex')
    mkdirSync(join(dir, 'contexts/meta', id), { recursive: true })
    writeFileSync(join(dir, 'contexts/meta', id, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: { Host: host, SkipTLSVerify: false } } }))
  }

  it('is the one that is set, else of DOCKER_HOST, else of the context, else this machine\'s', () => {
    context('away', 'tcp://away.example:2375')
    context('near', 'unix:///near.sock')
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ currentContext: 'near' }))
    expect(find().place).to.deep.equal({ kind: 'unix', path: '/near.sock' })
    expect(find({ DOCKER_CONTEXT: 'away' }).place).to.deep.equal({ kind: 'tcp', host: 'away.example', port: 2375 })
    expect(find({ DOCKER_CONTEXT: 'away', DOCKER_HOST: 'unix:///host.sock' }).place).to.deep.equal({ kind: 'unix', path: '/host.sock' })
    expect(find({ DOCKER_HOST: 'unix:///host.sock' }, 'ssh://me@far:2222/run/d.sock').place).to.deep.equal({ kind: 'ssh', target: 'me@far', port: 2222, path: '/run/d.sock' })
    expect(find({ DOCKER_CONTEXT: 'default' }).because).to.equal('default')
    rmSync(join(dir, 'config.json'))
    expect(find().because).to.equal('default')
  })

  it('is reached by TLS where there are certificates', () => {
    writeFileSync(join(dir, 'ca.pem'), 'ca')
    const { place } = find({ DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: dir })
    expect(place).to.deep.equal({ kind: 'tcp', host: 'h', port: 2376, tls: { ca: Buffer.from('ca'), verify: true } })
  })

  it('is nowhere where its address is none', () => {
    for (const host of ['gopher://x', 'ssh://', 'ssh://-oProxyCommand=x', 'tcp://']) expect(() => find({ DOCKER_HOST: host }), host).to.throw().with.property('code', 'invalid_argument')
    expect(() => find({ DOCKER_CONTEXT: 'none' })).to.throw(/no Docker context "none"/)
    writeFileSync(join(dir, 'config.json'), '{')
    expect(() => find()).to.throw().with.property('code', 'corrupt')
  })

  it('that is not there, does not run, cannot be reached or is too old is told apart', async () => {
    const none = await failure(new Client({ host: `unix://${dir}/none.sock` }).version())
    expect(none).to.include({ code: 'tool_missing' })
    const socket = join(dir, 'engine.sock')
    const server = createServer((request, response) => {
      response.setHeader('content-type', 'application/json')
      if (request.url === '/version') return void response.end(JSON.stringify({ Version: '17.03', ApiVersion: '1.26', Os: 'linux', Arch: 'amd64' }))
      response.statusCode = 400
      response.end(JSON.stringify({ message: 'client version 1.40 is too old. Minimum supported API version is 1.44' }))
    })
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    expect(await failure(new Client({ host: `unix://${socket}` }).version())).to.include({ code: 'unsupported' })
    const refused = await failure(new Client({ host: `unix://${socket}` }).call((docker) => docker.info()))
    expect(refused).to.include({ code: 'unsupported' })
    await new Promise((resolve) => server.close(resolve))
    writeFileSync(socket, '')
    expect(await failure(new Client({ host: `unix://${socket}` }).version())).to.include({ code: 'unavailable' })
    if (process.getuid?.() === 0) {
      chmodSync(dir, 0o755)
      const closed = join(dir, 'closed.sock')
      const other = createServer(() => undefined).listen(closed)
      await once(other, 'listening')
      process.seteuid?.(65534)
      const refused = await failure(new Client({ host: `unix://${closed}` }).version()).finally(() => process.seteuid?.(0))
      expect(refused).to.include({ code: 'permission_denied' }).and.property('hint').include('usermod -aG docker')
      other.close()
    }
    const away = await failure(new Client({ host: 'tcp://127.0.0.1:1' }).version())
    expect(away).to.include({ code: 'unavailable' })
    expect(away.message).to.include('tcp://127.0.0.1:1')
  })

  it('that is silent is given up; one that takes its time and says that it is there is not', async () => {
    const listening = async (name: string, answer: RequestListener) => {
      const server = createServer(answer)
      await new Promise<void>((resolve) => server.listen(join(dir, name), resolve))
      return server
    }
    const silent = await listening('silent.sock', () => undefined)
    const slow = await listening('slow.sock', (request, response) => {
      if (request.url === '/_ping') return void response.end('OK')
      setTimeout(() => response.setHeader('content-type', 'application/json').end(JSON.stringify({ Version: '27.0', ApiVersion: '1.46', Os: 'linux', Arch: 'amd64' })), 17_000)
    })
    const [given, got] = await Promise.all([failure(new Client({ host: `unix://${dir}/silent.sock` }).version()), new Client({ host: `unix://${dir}/slow.sock` }).version()])
    expect(given).to.include({ code: 'unavailable' })
    expect(given.message).to.contain('silent.sock').and.contain('does not answer')
    expect(got.Version).to.equal('27.0')
    for (const server of [silent, slow]) {
      server.closeAllConnections()
      server.close()
    }
  })
})
