import { FilesystemError, type Sprite, SpritesClient, type SpriteFilesystem } from '@fly/sprites'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { type Socket, connect } from 'node:net'
import { failure, until } from '../support.ts'
import { type Bench, serve } from './support.ts'

const echo = `require('net').createServer({allowHalfOpen:true}, (s) => s.pipe(s)).listen(7070, '127.0.0.1', () => console.log('up'))`
const web = `require('http').createServer((q, r) => { let t = ''; q.on('data', (c) => t += c).on('end', () => r.end([q.method, q.url, t, q.headers.authorization || 'none'].join(' '))) }).listen(3000, '127.0.0.1', () => console.log('web up'))`

describe('the server, through @fly/sprites: files, checkpoints, policies, network, services', () => {
  let bench: Bench
  let client: SpritesClient
  let sprite: Sprite
  let fs: SpriteFilesystem
  before(async () => {
    bench = await serve()
    client = new SpritesClient(bench.token, { baseURL: bench.url })
    sprite = await client.createSprite('features')
    fs = sprite.filesystem('/home/amux')
  })
  after(() => bench.end())

  const run = async (script: string) => (await sprite.execFile('sh', ['-c', script])).stdout.toString()

  describe('files', () => {
    it('are written, read, listed, described and removed', async () => {
      await fs.writeFile('a/b/file', 'hello', { mode: 0o600 })
      expect(await fs.readFile('a/b/file', 'utf8')).to.equal('hello')
      expect(await run('stat -c "%a %U" ~/a/b/file')).to.equal('600 amux\n')
      const stat = await fs.stat('a/b/file')
      expect([stat.size, stat.isFile(), stat.isDirectory()]).to.deep.equal([5, true, false])
      expect(await fs.readdir('a')).to.deep.equal(['b'])
      const [entry] = await fs.readdir('a', { withFileTypes: true })
      expect([entry?.name, entry?.isDirectory()]).to.deep.equal(['b', true])
      await fs.appendFile('a/b/file', ' there')
      expect(await fs.readFile('a/b/file', 'utf8')).to.equal('hello there')
      expect([await fs.exists('a/b/file'), await fs.exists('a/none')]).to.deep.equal([true, false])
      await fs.rm('a', { recursive: true })
      await fs.rm('a', { force: true })
    })

    it('hold any bytes', async () => {
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7) % 256))
      await fs.writeFile('bytes', bytes)
      expect(Buffer.compare(bytes, Buffer.from(await fs.readFile('bytes')))).to.equal(0)
      await fs.writeJSON('j.json', { a: [1] })
      expect(await fs.readJSON('j.json')).to.deep.equal({ a: [1] })
    })

    it('are renamed, copied, changed in mode and owner', async () => {
      await fs.writeFile('d/one', '1')
      await fs.rename('d/one', 'd/two')
      await fs.copyFile('d', 'e', { recursive: true })
      await fs.chmod('e', 0o700, { recursive: true })
      await fs.chown('e/two', { uid: 0, gid: 0 })
      expect(await run('cat ~/d/two ~/e/two 2>/dev/null; stat -c "%a %u" ~/e ~/e/two')).to.equal('1700 1001\n700 0\n')
      await fs.mkdir('made/deep', { recursive: true })
      expect(await run('ls -A ~/made/deep; test -d ~/made/deep && echo directory')).to.equal('directory\n')
      expect(await fs.readdir('.', { recursive: true, pattern: 't*o' })).to.deep.equal(['two', 'two'])
    })

    it('fail with the code of their kind', async () => {
      await fs.writeFile('plain', 'x')
      await fs.writeFile('full/x', 'x')
      const codes: Readonly<Record<string, () => Promise<unknown>>> = {
        ENOENT: () => fs.readFile('nowhere'),
        EISDIR: () => fs.writeFile('made/deep', 'x'),
        ENOTDIR: () => fs.writeFile('plain/below', 'x'),
        ENOTEMPTY: () => fs.rm('full'),
      }
      for (const [code, work] of Object.entries(codes)) {
        const error = await failure(work())
        expect(error, code).to.be.instanceOf(FilesystemError)
        expect(error.code).to.equal(code)
      }
    })

    it('are watched', async () => {
      await fs.mkdir('watched')
      const watcher = await fs.watch('watched', { recursive: true })
      const seen: string[] = []
      const hear = (async () => {
        for await (const event of watcher) {
          if (event.type === 'subscribed') await fs.writeFile('watched/sub/new', 'x')
          if (event.type === 'event') seen.push(`${event.event} ${event.path?.replace('/home/amux/', '')}`)
          if (seen.some((one) => one.endsWith('watched/sub/new'))) watcher.close()
        }
      })()
      await hear
      expect(seen[0]).to.equal('create watched/sub')
    })
  })

  it('checkpoints: made, listed, looked into, restored, with the service\'s own words', async () => {
    await fs.writeFile('precious', 'before')
    const lines: string[] = []
    for await (const { type, data } of await sprite.createCheckpoint('a comment')) lines.push(`${type} ${data}`)
    expect(lines).to.deep.equal(['info Creating checkpoint...', 'info Checkpoint created successfully', 'info   ID: v1', 'info   Path: checkpoints/v1', 'complete Checkpoint v1 created successfully'])
    const all = await sprite.listCheckpoints()
    expect(all.map(({ id }) => id)).to.deep.equal(['Current', 'v1'])
    expect((await sprite.getCheckpoint('v1')).comment).to.equal('a comment')
    await fs.writeFile('precious', 'after')
    expect(await fs.readFile('/.sprite/checkpoints/v1/home/amux/precious', 'utf8')).to.equal('before')
    const told: string[] = []
    for await (const { type } of await sprite.restoreCheckpoint('v1')) told.push(type)
    expect(told).to.deep.equal(['info', 'complete'])
    expect(await fs.readFile('precious', 'utf8')).to.equal('before')
    await failure(sprite.getCheckpoint('v99'))
    await failure(sprite.restoreCheckpoint('v99'))
  })

  it('policies: network is enforced, the others say what they are', async () => {
    expect(await sprite.getNetworkPolicy()).to.deep.equal({ rules: [] })
    const policy = { rules: [{ domain: 'allowed.example', action: 'allow' as const }, { include: 'defaults' as const }] }
    await sprite.updateNetworkPolicy(policy)
    expect(await sprite.getNetworkPolicy()).to.deep.equal(policy)
    await until('programs see it', async () => (await run('cat /.sprite/policy/network.json 2>/dev/null || true')).includes('allowed.example'))
    await failure(sprite.updateNetworkPolicy({ rules: [{ domain: 'http://bad', action: 'allow' }] }))
    await failure(sprite.updateNetworkPolicy({ rules: [{ domain: 'x.example', action: 'maybe' as 'deny' }] }))
    expect(await sprite.getNetworkPolicy()).to.deep.equal(policy)
    await sprite.updateNetworkPolicy({ rules: [] })
    await sprite.getPrivilegesPolicy()
    expect((await failure(sprite.updateResourcesPolicy({ memory: { limitMB: 1 } }))).message).to.include('501')
    await sprite.deletePrivilegesPolicy()
  })

  it('proxy: raw bytes both ways, one connection after the other', async () => {
    const server = sprite.spawn('node', ['-e', echo])
    await once(server.stdout, 'data')
    const proxy = await sprite.proxyPort(0, 7070)
    const port = Number(proxy.localAddr()?.split(':').at(-1))
    const talk = async (n: number) => {
      const socket: Socket = connect(port, 'localhost')
      await once(socket, 'connect')
      const wanted = Buffer.alloc(20_000, n)
      let got = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => (got = Buffer.concat([got, chunk])))
      socket.write(wanted)
      await until(`all of ${n}`, () => got.length >= wanted.length)
      socket.end()
      return got.equals(wanted)
    }
    // The SDK's WebSockets wait for one another: many at once are tried without it.
    for (const n of [1, 2, 3]) expect(await talk(n)).to.equal(true)
    await proxy.close()
    server.kill('SIGKILL')
  })

  it('ports: what listens, and what opens', async () => {
    const watcher = await sprite.watchPorts()
    const first = await watcher.next()
    expect(first?.type).to.equal('port_list')
    const server = sprite.spawn('node', ['-e', echo.replace('7070', '7171')])
    let event = await watcher.next()
    while (event?.type !== 'port_opened') event = await watcher.next()
    expect(event).to.include({ port: 7171, address: '127.0.0.1' })
    watcher.close()
    server.kill('SIGKILL')
  })

  it('services: started with their first words, listed, signalled, stopped, and their logs', async () => {
    const events: { type: string; data?: string; exitCode?: number }[] = []
    for await (const event of await sprite.createService('web', { cmd: 'node', args: ['-e', web], httpPort: 3000, env: { A: 'b' } }, '1s')) events.push(event)
    expect(events.map(({ type }) => type)).to.deep.equal(['started', 'stdout', 'complete'])
    expect(events[1]?.data).to.equal('web up\n')
    const [service] = await sprite.listServices()
    expect(service).to.deep.include({ name: 'web', cmd: 'node', httpPort: 3000 })
    expect(service?.state?.status).to.equal('running')
    const crashed: typeof events = []
    for await (const event of await sprite.createService('crash', { cmd: 'sh', args: ['-c', 'echo oops >&2; exit 9'], needs: ['web'] }, '2s')) crashed.push(event)
    expect(crashed.find(({ type }) => type === 'exit')?.exitCode).to.equal(9)
    expect(crashed.some(({ type, data }) => type === 'stderr' && data === 'oops\n')).to.equal(true)
    await failure(sprite.createService('second', { cmd: 'true', httpPort: 1 }))
    await failure(sprite.deleteService('web'))
    await sprite.deleteService('crash')
    await sprite.signalService('web', 'KILL')
    await until('it was started again', async () => (await sprite.getService('web')).state?.restartCount === 1 && (await sprite.getService('web')).state?.status === 'running')
    await until('it said so twice', async () => {
      let logged = ''
      for await (const { type, data } of await sprite.getServiceLogs('web')) if (type === 'stdout') logged += data ?? ''
      return logged === 'web up\nweb up\n'
    })
    await failure(sprite.getService('none'))
  })

  it('the URL: to the service with an HTTP port, for those who may, waking and starting it', async () => {
    const get = (headers: Record<string, string> = {}, more: RequestInit = {}) => {
      const { port } = new URL(bench.url)
      return fetch(`http://127.0.0.1:${port}/path?q=1`, { ...more, headers: { ...headers } })
    }
    expect((await client.getSprite('features')).url).to.match(/^http:\/\/features\.localhost:\d+\/$/)
    // fetch does not let a Host header through.
    const ask = (headers: Record<string, string>) =>
      new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const { port } = new URL(bench.url)
        const request = httpRequest({ port, path: '/path?q=1', method: 'POST', headers: { host: `features.localhost:${port}`, ...headers } }, (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve({ status: response.statusCode, text }))
        })
        request.on('error', reject).end('body')
      })
    expect((await ask({})).status).to.equal(401)
    expect(await ask({ authorization: `Bearer ${bench.token}` })).to.deep.equal({ status: 200, text: 'POST /path?q=1 body none' })
    await client.updateURLSettings('features', { auth: 'public' })
    expect(await ask({ authorization: 'Basic own' })).to.deep.equal({ status: 200, text: 'POST /path?q=1 body Basic own' })
    for await (const _ of await sprite.stopService('web')) void _
    expect((await ask({})).text).to.include('/path')
    await (await bench.provider.get('features')).stop()
    expect((await ask({})).status).to.equal(200)
    expect((await get()).status).to.equal(401)
  })

  it('tasks, from inside and from outside', async () => {
    await until('the socket is there', async () => (await run('curl -s --unix-socket /.sprite/api.sock http://sprite/v1/tasks || true')).includes('tasks'))
    const curl = (more: string) => run(`curl -s --unix-socket /.sprite/api.sock ${more}`)
    expect(JSON.parse(await curl(`-X PUT http://sprite/v1/tasks -d '{"name":"work","expire":"5m"}'`))).to.include({ name: 'work' })
    expect(JSON.parse(await curl('http://sprite/v1/services'))).to.be.an('array')
    const outside = await fetch(`${bench.url}/v1/sprites/features/tasks`, { headers: { authorization: `Bearer ${bench.token}` } })
    expect(((await outside.json()) as { tasks: { name: string }[] }).tasks.map(({ name }) => name)).to.deep.equal(['work'])
    await curl('-X DELETE http://sprite/v1/tasks/work')
    expect(JSON.parse(await curl('http://sprite/v1/tasks'))).to.deep.equal({ tasks: [] })
  })
})

