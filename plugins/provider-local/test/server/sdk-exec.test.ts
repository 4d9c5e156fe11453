import { SpritesClient, type Sprite } from '@fly/sprites'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { once } from 'node:events'
import { failure } from '../support.ts'
import { type Bench, serve } from './support.ts'

/** What Fly's own integration tests check, through their published SDK. */
describe('the server, through @fly/sprites: sprites and programs', () => {
  let bench: Bench
  let client: SpritesClient
  let sprite: Sprite
  before(async () => {
    bench = await serve()
    client = new SpritesClient(bench.token, { baseURL: bench.url })
    sprite = await client.createSprite('test-sprite-1', { labels: ['a=b', 'c'] })
  })
  after(() => bench.end())

  async function spawned(command: string, args: string[], options = {}, input?: string) {
    const program = sprite.spawn(command, args, options)
    const out: Buffer[] = []
    const err: Buffer[] = []
    program.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    program.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    if (input !== undefined) program.once('spawn', () => program.stdin.end(input))
    const code = await program.wait()
    return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
  }

  it('1: a sprite is made, found and deleted', async () => {
    expect(sprite.name).to.equal('test-sprite-1')
    const found = await client.getSprite('test-sprite-1')
    expect([found.name, found.id?.startsWith('sprite-'), found.status, found.labels]).to.deep.equal(['test-sprite-1', true, 'running', ['a=b', 'c']])
    const other = await client.createSprite('test-sprite-2')
    await other.delete()
    await failure(client.getSprite('test-sprite-2'))
    await failure(client.createSprite('test-sprite-1'))
    expect((await failure(client.createSprite('No Such Name'))).message).to.include('small letter')
  })

  it('2: prints exactly what the program printed', async () => {
    expect((await sprite.execFile('echo', ['hello', 'world'])).stdout).to.equal('hello world\n')
    expect((await sprite.exec('echo hello world')).stdout).to.equal('hello world\n')
  })

  it('3: begins at home, or in the directory given', async () => {
    expect((await sprite.execFile('pwd', [])).stdout).to.include('/home')
    expect((await sprite.execFile('pwd', [], { cwd: '/tmp' })).stdout).to.equal('/tmp\n')
  })

  it('4: gives the program these variables and no others, and finds it all the same', async () => {
    expect((await sprite.execFile('env', [], { env: { ONE: '1', TWO: 'a=b c' } })).stdout.toString().trim().split('\n').toSorted()).to.deep.equal(['ONE=1', 'TWO=a=b c'])
  })

  it('5: gives an exit status as a typed error', async () => {
    const error = await failure(sprite.execFile('sh', ['-c', 'echo out; echo err >&2; exit 42']))
    expect(error).to.deep.include({ exitCode: 42 })
    expect(error).to.include({ stdout: 'out\n', stderr: 'err\n' })
  })

  it('6: passes input on, and its end', async () => {
    expect(await spawned('cat', [], {}, 'some input')).to.deep.equal({ code: 0, stdout: 'some input', stderr: '' })
    expect((await sprite.execFile('sh', ['-c', 'echo from a shell'])).stdout).to.equal('from a shell\n')
  })

  it('7, 9: gives it a terminal of the size asked for, before it starts', async () => {
    const tty = await spawned('tty', [], { tty: true, rows: 24, cols: 80 })
    expect([tty.code, tty.stdout.includes('/dev/')]).to.deep.equal([0, true])
    expect((await spawned('stty', ['size'], { tty: true, rows: 24, cols: 80 })).stdout).to.include('24 80')
    expect((await spawned('sh', ['-c', 'exit 3'], { tty: true })).code).to.equal(1)
  })

  it('8: gives it none otherwise', async () => {
    const error = await failure(sprite.execFile('tty', []))
    expect(error).to.deep.include({ exitCode: 1, stdout: 'not a tty\n' })
  })

  it('10: keeps the two streams apart', async () => {
    expect(await spawned('sh', ['-c', 'echo stdout; echo stderr >&2'])).to.deep.equal({ code: 0, stdout: 'stdout\n', stderr: 'stderr\n' })
  })

  it('11: passes arguments as they are', async () => {
    expect((await sprite.execFile('echo', ['arg1', 'arg2', 'arg3'])).stdout).to.equal('arg1 arg2 arg3\n')
    expect((await spawned('printf', ['%s|', '', 'a b', '$HOME', '*', '"', 'é'])).stdout).to.equal('|a b|$HOME|*|"|é|')
  })

  it('12: lists sprites, page by page', async () => {
    for (const n of [3, 4, 5]) await client.createSprite(`test-sprite-${n}`)
    const first = await client.listSprites({ maxResults: 2 })
    expect([first.sprites.length, first.hasMore]).to.deep.equal([2, true])
    const all = await client.listAllSprites('test-')
    expect(all.map(({ name }) => name)).to.deep.equal(['test-sprite-1', 'test-sprite-3', 'test-sprite-4', 'test-sprite-5'])
    for (const n of [3, 4, 5]) await client.deleteSprite(`test-sprite-${n}`)
  })

  it('says what cannot be started as a shell would', async () => {
    const missing = await spawned('amux-no-such-program', [])
    expect([missing.code, missing.stderr.includes('amux-no-such-program')]).to.deep.equal([127, true])
    expect((await spawned('/etc/passwd', [])).code).to.equal(126)
    expect((await spawned('true', [], { cwd: '/no/such' })).code).to.equal(126)
  })

  it('runs programs over HTTP, in frames', async () => {
    const { stdout, stderr } = await sprite.execFileHTTP('sh', ['-c', 'echo out; echo err >&2'])
    expect([stdout, stderr]).to.deep.equal(['out\n', 'err\n'])
    const { stdout: much } = await sprite.execFileHTTP('seq', ['1', '100000'])
    expect(much.toString().length).to.equal(588_895)
    expect(await failure(sprite.execFileHTTP('sh', ['-c', 'exit 7']))).to.deep.include({ exitCode: 7 })
  })

  it('signals a program', async () => {
    const program = sprite.spawn('sleep', ['1000'])
    await once(program, 'spawn')
    program.kill('SIGTERM')
    expect(await program.wait()).to.equal(143)
  })

  it('lists sessions, attaches to one with what it said, and kills it', async () => {
    const session = sprite.createSession('bash', ['-c', 'echo ready; read line; echo "got $line"; sleep 1000'], { rows: 24, cols: 80 })
    const info = (await once(session, 'message'))[0] as { session_id: string; tty: boolean }
    expect(info.tty).to.equal(true)
    const listed = (await sprite.listSessions()).find(({ id }) => id === info.session_id)
    expect(listed).to.deep.include({ tty: true, command: 'bash -c echo ready; read line; echo "got $line"; sleep 1000' })
    session.stdin.write('hello\n')
    await until(session.stdout, 'got hello')
    const again = sprite.attachSession(info.session_id)
    await until(again.stdout, 'got hello')
    const events: { type: string; exitCode?: number }[] = []
    for await (const event of await sprite.killSession(info.session_id, 'SIGKILL')) events.push(event)
    expect(events[0]?.type).to.equal('signal')
    expect(events.at(-1)).to.deep.include({ type: 'complete', exitCode: 137 })
    expect((await sprite.listSessions()).some(({ id }) => id === info.session_id)).to.equal(false)
    await failure(sprite.killSession('99999'))
  })

  it('updates labels and access, checks, upgrades and restarts', async () => {
    const changed = await client.updateSprite('test-sprite-1', { labels: ['x'], urlSettings: { auth: 'public' } })
    expect([changed.labels, changed.urlSettings?.auth]).to.deep.equal([['x'], 'public'])
    expect((await client.updateSprite('test-sprite-1', { labels: [] })).labels).to.deep.equal([])
    expect((await sprite.check()).status).to.equal('ok')
    await sprite.upgrade()
    expect((await sprite.restart()).spriteName).to.equal('test-sprite-1')
    expect((await sprite.execFile('echo', ['back'])).stdout).to.equal('back\n')
  })

  it('wakes a cold one', async () => {
    await (await bench.provider.get('test-sprite-1')).stop()
    expect((await client.getSprite('test-sprite-1')).status).to.equal('cold')
    expect((await sprite.execFile('echo', ['awake'])).stdout).to.equal('awake\n')
    expect((await client.getSprite('test-sprite-1')).status).to.equal('running')
  })

  it('lets nobody in without its token', async () => {
    for (const token of ['wrong', `${bench.token}x`]) {
      const stranger = new SpritesClient(token, { baseURL: bench.url })
      expect(await failure(stranger.listSprites())).to.deep.include({ statusCode: 401 })
      await failure(stranger.sprite('test-sprite-1').execFile('true', []))
    }
    expect((await fetch(`${bench.url}/v1/sprites`)).status).to.equal(401)
  })
})

async function until(stream: NodeJS.ReadableStream, wanted: string): Promise<void> {
  let text = ''
  await new Promise<void>((resolve) => {
    const look = (chunk: Buffer) => {
      text += chunk.toString()
      if (!text.includes(wanted)) return
      stream.off('data', look)
      resolve()
    }
    stream.on('data', look)
  })
}
