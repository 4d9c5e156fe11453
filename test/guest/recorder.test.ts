import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { Tag } from '../../src/guest/sessions/wire.ts'
import { until } from './lab.ts'
import { type Follower, Records, Word, record } from './recorder-lab.ts'

describe('a recorder', () => {
  let at: Records
  beforeEach(() => void (at = new Records()))
  afterEach(() => at.end())

  const sh = (script: string, more = {}) => at.prepare({ argv: ['sh', '-c', script], ...more })

  async function outcome(follower: Follower) {
    await follower.over
    return [follower.texts[0], follower.texts[1], follower.status?.status, follower.status?.number]
  }

  it('keeps what was said, by whom, and how it ended', async () => {
    const dir = sh('echo one; echo two >&2; read line; echo "got $line"; exit 42')
    const recorder = at.start(dir)
    const live = at.follow(dir, 'o')
    live.say(Tag.input, 'words\n')
    expect(await outcome(live)).to.deep.equal(['one\ngot words\n', 'two\n', 'exited', 42])
    await until(() => recorder.exitCode !== null)
    expect(recorder.exitCode).to.equal(42)
    const late = at.follow(dir, 'v', [4, 4])
    expect(await outcome(late)).to.deep.equal(['got words\n', '', 'exited', 42])
    expect(readdirSync(dir)).to.not.include('start').and.not.include('sock')
  })

  it('shows it to who runs it too, and takes what they type', async () => {
    const dir = sh('read line; echo "got $line"; kill -TERM $$')
    const recorder = at.start(dir)
    let said = ''
    recorder.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    recorder.stdin?.write('there\n')
    await until(() => recorder.exitCode !== null)
    expect([said, recorder.exitCode]).to.deep.equal(['got there\n', 143])
    expect((await outcome(at.follow(dir, 'v'))).slice(2)).to.deep.equal(['killed', 15])
  })

  it('tells a program that cannot start from one that failed, before there is a session', async () => {
    for (const [start, stage, code] of [
      [{ argv: ['amux-no-such'] }, 6, 127],
      [{ argv: ['/etc/passwd'] }, 6, 126],
      [{ argv: ['true'], cwd: '/no/such' }, 5, 1],
    ] as const) {
      const dir = at.prepare(start)
      const follower = at.follow(dir, 'o')
      const recorder = at.start(dir)
      await follower.over
      expect(follower.status).to.include({ status: 'refused', stage })
      await until(() => recorder.exitCode !== null)
      expect(recorder.exitCode).to.equal(code)
      expect(existsSync(join(dir, 'record.json'))).to.equal(false)
    }
  })

  it('is not held back by those who do not read, and keeps the newest 16 MiB', async () => {
    const dir = sh('head -c 60000000 /dev/zero; echo END >&2')
    const recorder = at.start(dir)
    const idle = at.follow(dir, 'v', [0, 0], false)
    await until(() => recorder.exitCode !== null)
    const late = at.follow(dir, 'v')
    late.keep = false
    await late.over
    expect([late.at[0], late.at[1]]).to.deep.equal([60_000_000, 4])
    const kept = 60_000_000 - (late.first[0] ?? 0)
    expect(kept).to.be.within(16 << 20, 24 << 20)
    idle.child.kill('SIGKILL')
  })

  it('waits for its owner only: 100 MB arrive whole', async () => {
    const dir = at.prepare({ argv: ['sh', '-c', 'read go; head -c 100000000 /dev/zero'] })
    at.start(dir)
    const owner = at.follow(dir, 'o')
    owner.keep = false
    await until(() => owner.hello !== undefined)
    owner.limit(1, 1_000_000)
    owner.say(Tag.input, 'go\n')
    await owner.over
    expect([owner.at[0], owner.skipped[0], owner.status?.status]).to.deep.equal([100_000_000, 0, 'exited'])
  })

  it('goes on at once when the owner is lost', async () => {
    const dir = sh('read go; head -c 40000000 /dev/zero')
    const recorder = at.start(dir)
    const owner = at.follow(dir, 'o', [0, 0], false)
    owner.limit(1, 1_000_000)
    owner.say(Tag.input, 'go\n')
    await until(() => existsSync(join(dir, 'out.00000000000000000000')))
    owner.child.kill('SIGKILL')
    await until(() => recorder.exitCode !== null)
  })

  it('tells an owner that another one took over; who only looks cannot type', async () => {
    const dir = sh('while read line; do echo "got $line"; done')
    at.start(dir)
    const [first, viewer] = [at.follow(dir, 'o'), at.follow(dir, 'v')]
    await until(() => first.hello !== undefined && viewer.hello !== undefined)
    viewer.say(Tag.input, 'from the viewer\n')
    const second = at.follow(dir, 'o')
    await until(() => first.heard.includes(Word.disowned))
    first.say(Tag.input, 'from the first\n')
    second.say(Tag.input, 'from the second\n')
    second.say(Tag.endInput)
    for (const one of [first, second, viewer]) expect((await outcome(one)).slice(0, 3)).to.deep.equal(['got from the second\n', '', 'exited'])
  })

  it('is spoken to from aside, and says when it has obeyed', async () => {
    const dir = at.prepare({ argv: ['cat'] })
    at.start(dir)
    const aside = at.follow(dir, 'a')
    for (let piece = 0; piece < 30; piece++) aside.say(Tag.input, Buffer.alloc(100_000, 'x'))
    aside.say(Word.sync)
    await until(() => aside.heard.includes(Word.synced))
    aside.say(Tag.endInput)
    const viewer = at.follow(dir, 'v')
    viewer.keep = false
    await viewer.over
    expect([viewer.at[0], viewer.skipped[0]]).to.deep.equal([3_000_000, 0])
  })

  it('gives two streams in the order they were written', async () => {
    const dir = sh('for n in 1 2 3; do echo out; sleep 0.02; echo err >&2; sleep 0.02; done')
    const recorder = at.start(dir)
    await until(() => recorder.exitCode !== null)
    const late = at.follow(dir, 'v')
    await late.over
    expect(late.order).to.deep.equal([0, 1, 0, 1, 0, 1])
  })

  it('ends everything, daemons that ignore it included', async () => {
    const dir = sh('trap "" TERM; (setsid sh -c \'trap "" TERM HUP; echo $$; while :; do sleep 0.1; done\' &); while :; do sleep 0.1; done')
    at.start(dir)
    const viewer = at.follow(dir, 'v')
    await until(() => viewer.texts[0]?.includes('\n') === true)
    const aside = at.follow(dir, 'a')
    aside.say(Tag.kill, Buffer.of(15, 0, 0, 0, 200))
    expect((await outcome(viewer)).slice(2)).to.deep.equal(['killed', 9])
    expect(existsSync(`/proc/${viewer.texts[0]?.trim()}`)).to.equal(false)
  })

  it('has a terminal inside, of the size that is asked for', async () => {
    const dir = sh('trap "stty size" WINCH; stty size; while :; do sleep 0.05; done', { size: [80, 24] })
    at.start(dir)
    const owner = at.follow(dir, 'o')
    await until(() => owner.texts[0]?.includes('24 80') === true)
    owner.say(Tag.size, Buffer.of(0, 71, 0, 19))
    await until(() => owner.texts[0]?.includes('19 71') === true)
    owner.say(Tag.input, '\x03')
    expect((await outcome(owner)).slice(2)).to.deep.equal(['killed', 2])
  })

  it('passes signals on, and outlives them', async () => {
    const dir = sh('trap "echo hup" HUP; trap "echo int; exit 5" INT; echo ready; while :; do sleep 0.05; done')
    const recorder = at.start(dir)
    const viewer = at.follow(dir, 'v')
    await until(() => viewer.texts[0]?.includes('ready') === true)
    recorder.kill('SIGHUP')
    await until(() => viewer.texts[0]?.includes('hup') === true)
    recorder.kill('SIGINT')
    await viewer.over
    expect([viewer.texts[0], viewer.status?.status, viewer.status?.number]).to.deep.equal(['ready\nhup\nint\n', 'exited', 5])
  })

  it('that was killed is lost, never ended well', async () => {
    const dir = at.prepare({ argv: ['sleep', '1000'] })
    const recorder = at.start(dir)
    const viewer = at.follow(dir, 'v')
    await until(() => viewer.hello !== undefined)
    recorder.kill('SIGKILL')
    await viewer.over
    expect(viewer.status).to.deep.equal({ status: 'lost' })
    process.kill(Number(viewer.hello?.['pid']), 'SIGKILL')
  })

  it('holds its name while its program runs', async () => {
    const lock = join(at.root, 'name')
    const dir = at.prepare({ argv: ['cat'], lock })
    const first = at.start(dir)
    const owner = at.follow(dir, 'o')
    await until(() => owner.hello !== undefined)
    const again = at.prepare({ argv: ['true'], lock })
    at.start(again)
    const refused = at.follow(again, 'o')
    await refused.over
    expect(refused.status).to.include({ status: 'refused', why: 'name' })
    owner.say(Tag.endInput)
    await until(() => first.exitCode !== null)
    const third = at.prepare({ argv: ['true'], lock })
    at.start(third)
    expect((await outcome(at.follow(third, 'o'))).slice(2)).to.deep.equal(['exited', 0])
  })

  it('shuts out nonsense on its socket and its standard input, and goes on', async () => {
    const dir = at.prepare({ argv: ['cat'] })
    at.start(dir)
    for (const words of [record(99, 'x'), record(Tag.limit, 'x'), Buffer.alloc(100_000, 255), record(Tag.kill)]) {
      const bad = at.follow(dir, 'v')
      await until(() => bad.hello !== undefined)
      bad.child.stdin?.write(words)
      if (words.length < 1000) await bad.over
      else bad.child.kill('SIGKILL')
    }
    const good = at.follow(dir, 'o')
    good.say(Tag.input, 'still here')
    good.say(Tag.endInput)
    expect(await outcome(good)).to.deep.equal(['still here', '', 'exited', 0])
  })

  it('lists what there is, running or not', async () => {
    const running = at.prepare({ argv: ['cat'] })
    const ended = at.prepare({ argv: ['true'] })
    at.start(running)
    const recorder = at.start(ended)
    const owner = at.follow(running, 'o')
    await until(() => owner.hello !== undefined && recorder.exitCode !== null)
    const child = at.spawn(['records', at.root])
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await new Promise((resolve) => child.once('close', resolve))
    const lines = said.trim().split('\n').map((line) => JSON.parse(line) as Record<string, Record<string, unknown> | null>)
    const [first, second] = lines.toSorted((a, b) => String(a['id']).localeCompare(String(b['id'])))
    expect(first?.['record']).to.deep.equal({ argv: ['cat'] })
    expect(first?.['live']).to.include({ viewers: 1, owned: true })
    expect(first?.['status']).to.equal(null)
    expect(second?.['status']).to.include({ status: 'exited', number: 0 })
    expect(second).to.not.have.property('live')
  })

  it('keeps files from others', async () => {
    const dir = at.prepare({ argv: ['echo', 'secret'] })
    const recorder = at.start(dir)
    await until(() => recorder.exitCode !== null)
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o077, name).to.equal(0)
  })

  describe('keeps the computer awake', () => {
    let server: Server
    let asked: string[]
    let tasks: string
    beforeEach(async () => {
      asked = []
      tasks = join(at.root, 'api.sock')
      server = createServer((request, response) => {
        let body = ''
        request.on('data', (chunk: Buffer) => (body += chunk.toString()))
        request.on('end', () => {
          asked.push(`${request.method} ${request.url} ${body}`)
          response.writeHead(request.method === 'DELETE' ? 204 : 200).end()
        })
      })
      await new Promise<void>((resolve) => server.listen(tasks, resolve))
    })
    afterEach(() => {
      server.closeAllConnections()
      server.close()
    })

    it('by a task of its own, gone at its end', async () => {
      const dir = at.prepare({ argv: ['cat'] })
      at.start(dir, tasks)
      await until(() => asked.length === 1)
      const owner = at.follow(dir, 'o')
      owner.say(Tag.endInput)
      await owner.over
      await until(() => asked.length === 2)
      expect(asked).to.deep.equal(['PUT /v1/tasks {"name":"amux-s0","expire":300}', 'DELETE /v1/tasks/amux-s0 '])
    })

    it('and does not mind when that cannot be', async () => {
      server.close()
      server.closeAllConnections()
      const dir = at.prepare({ argv: ['echo', 'fine'] })
      at.start(dir, '/etc/passwd')
      expect((await outcome(at.follow(dir, 'o'))).slice(0, 3)).to.deep.equal(['fine\n', '', 'exited'])
    })
  })

  it('costs little', async () => {
    const dir = at.prepare({ argv: ['cat'] })
    const recorder = at.start(dir)
    const owner = at.follow(dir, 'o')
    await until(() => owner.hello !== undefined)
    const kb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${recorder.pid}/status`, 'utf8'))?.[1])
    expect(kb).to.be.below(4096)
  })
})
