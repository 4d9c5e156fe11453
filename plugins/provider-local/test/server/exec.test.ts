import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import { type Bench, serve } from './support.ts'
import { type Talk, begin, dial, get, queryOf, refusal } from './talk.ts'

const at = '/v1/sprites/raw'

describe('the server, on the wire: programs and sessions', () => {
  let bench: Bench
  before(async () => {
    bench = await serve()
    expect((await get(bench, '/v1/sprites', { method: 'POST', body: '{"name":"raw"}' })).status).to.equal(201)
  })
  after(() => bench.end())

  it('greets, then gives output, then the status in both forms, then closes', async () => {
    const talk = await begin(bench, 'raw', ['sh', '-c', 'echo out; exit 3'])
    expect([await talk.closed, talk.order, talk.text(1), talk.status]).to.deep.equal([1000, ['session_info', '1', '3', 'exit'], 'out\n', 3])
    expect(talk.texts.at(-1)).to.deep.equal({ type: 'exit', exit_code: 3 })
    expect(talk.info).to.deep.include({ is_owner: true, tty: false, stdout_offset: 0, stderr_offset: 0 })
  })

  it('says how a terminal ended, and closes otherwise than with success', async () => {
    const good = await begin(bench, 'raw', ['true'], { tty: 'true' })
    expect([await good.closed, good.texts.at(-1)]).to.deep.equal([1000, { type: 'exit', exit_code: 0 }])
    const bad = await begin(bench, 'raw', ['sh', '-c', 'exit 5'], { tty: 'true' })
    expect([await bad.closed, bad.texts.at(-1)]).to.deep.equal([4001, { type: 'exit', exit_code: 5 }])
  })

  it('says which signal ended a program, and takes signals in any spelling', async () => {
    for (const signal of ['TERM', 'SIGTERM', 'sigterm']) {
      const talk = await begin(bench, 'raw', ['sleep', '1000'])
      talk.tell({ type: 'signal', signal })
      await talk.closed
      expect([talk.status, talk.texts.at(-1)]).to.deep.equal([143, { type: 'exit', exit_code: 143, signal: 'SIGTERM' }])
    }
  })

  it('does not wait for the end of the input, and takes it whenever it comes', async () => {
    const silent = await begin(bench, 'raw', ['true'], { stdin: 'true' })
    expect([await silent.closed, silent.status]).to.deep.equal([1000, 0])
    const early = await begin(bench, 'raw', ['sh', '-c', 'cat; echo end'], { stdin: 'false' })
    early.send(4)
    expect([await early.closed, early.text(1)]).to.deep.equal([1000, 'end\n'])
    const cat = await begin(bench, 'raw', ['cat'], { stdin: 'true' })
    cat.send(0, 'one ')
    cat.send(0, 'two')
    cat.send(4)
    expect([await cat.closed, cat.text(1)]).to.deep.equal([1000, 'one two'])
  })

  it('changes the size of a terminal', async () => {
    const talk = await begin(bench, 'raw', ['sh', '-c', 'read x; stty size'], { tty: 'true', rows: '10', cols: '20' })
    talk.tell({ type: 'resize', rows: 40, cols: 120 })
    talk.send(0, '\n')
    await talk.closed
    expect(talk.text(0)).to.include('40 120')
  })

  it('does not hear what makes no sense', async () => {
    const talk = await begin(bench, 'raw', ['cat'], { stdin: 'true' })
    for (const text of ['', '{', 'null', '[]', '{"type":"resize"}', '{"type":"resize","cols":1e9,"rows":-1}', '{"type":"signal","signal":"NOPE"}', '{"type":"signal","signal":7}', '\ud800']) talk.socket.send(text)
    for (const bytes of [[], [9], [1, 65], [255, 255]]) talk.socket.send(Buffer.from(bytes))
    talk.send(0, 'fine')
    talk.send(4)
    expect([await talk.closed, talk.text(1), talk.status]).to.deep.equal([1000, 'fine', 0])
  })

  it('says what cannot be started: no session, a message, a status, the end', async () => {
    for (const [argv, more, status] of [[['no-such-program'], {}, 127], [['/etc/passwd'], {}, 126], [['true'], { dir: '/no/such' }, 126]] as const) {
      const query = queryOf(argv, more)
      const talk = dial(bench, `${at}/exec?${query}`)
      expect(await talk.closed).to.equal(1000)
      expect([talk.order, talk.status]).to.deep.equal([['error', '2', '3', 'exit'], status])
    }
  })

  it('is exact to the byte over a hundred megabytes, and keeps the streams in order', async () => {
    const talk = await begin(bench, 'raw', ['sh', '-c', 'head -c 100000000 /dev/zero | tr "\\0" x; echo err >&2'])
    await talk.closed
    const out = Buffer.concat(talk.bytes[1] ?? [])
    expect([out.length, createHash('sha256').update(out).digest('hex')]).to.deep.equal([1e8, createHash('sha256').update('x'.repeat(1e8)).digest('hex')])
    expect([talk.text(2), talk.status]).to.deep.equal(['err\n', 0])
  })

  it('holds the program for a client that does not read, and gives it every byte when it does', async () => {
    const talk = await begin(bench, 'raw', ['sh', '-c', 'head -c 60000000 /dev/zero; touch /tmp/all-written'])
    talk.socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect((await (await begin(bench, 'raw', ['test', '-e', '/tmp/all-written'])).closed)).to.equal(1000)
    const look = await begin(bench, 'raw', ['test', '-e', '/tmp/all-written'])
    await look.closed
    expect(look.status).to.equal(1)
    talk.socket.resume()
    await talk.closed
    expect([Buffer.concat(talk.bytes[1] ?? []).length, talk.status]).to.deep.equal([6e7, 0])
  })

  it('gives a client that was lost what it missed, from an offset it knows, and the end', async () => {
    const first = await begin(bench, 'raw', ['sh', '-c', 'echo one; echo err >&2; sleep 1; echo two; exit 9'])
    await first.until((talk) => talk.text(1) === 'one\n' && talk.text(2) === 'err\n')
    first.socket.terminate()
    const again = dial(bench, `${at}/exec/${first.info.session_id}`)
    await again.closed
    expect([again.text(1), again.text(2), again.status, again.info.stdout_offset, again.info.is_owner]).to.deep.equal(['one\ntwo\n', 'err\n', 9, 0, true])
  })

  it('keeps the end for a client that was lost when the program ended meanwhile', async () => {
    const first = await begin(bench, 'raw', ['sh', '-c', 'echo one; read x < /tmp/go 2>/dev/null || sleep 0.3; echo two; exit 9'])
    await first.until((talk) => talk.text(1) === 'one\n')
    first.socket.terminate()
    await gone(first.info.session_id)
    const again = dial(bench, `${at}/exec/${first.info.session_id}`)
    await again.closed
    expect([again.text(1), again.status]).to.deep.equal(['one\ntwo\n', 9])
    expect(await refusal(bench, `${at}/exec/${first.info.session_id}`)).to.deep.include({ status: 404, error: 'not_found' })
  })

  it('loses nothing of more than can be kept while its client is away', async () => {
    const first = await begin(bench, 'raw', ['sh', '-c', 'seq 1 5000000; echo done >&2'])
    await first.until((talk) => talk.text(1).length > 0)
    first.socket.terminate()
    await new Promise((resolve) => setTimeout(resolve, 500))
    const again = dial(bench, `${at}/exec/${first.info.session_id}`)
    await again.closed
    const before = Buffer.concat(first.bytes[1] ?? [])
    const offset = again.info.stdout_offset ?? Number.NaN
    expect(offset).to.be.at.most(before.length)
    const whole = Buffer.concat([before.subarray(0, offset), ...(again.bytes[1] ?? [])])
    const wanted = Buffer.from(`${Array.from({ length: 5_000_000 }, (_, n) => n + 1).join('\n')}\n`)
    expect(whole.equals(wanted)).to.equal(true)
    expect([again.text(2), again.status]).to.deep.equal(['done\n', 0])
  })

  it('ends a program whose client stays away for too long, and not one that may run for ever', async () => {
    const short = await begin(bench, 'raw', ['sleep', '1000'], { max_run_after_disconnect: '100ms' })
    const long = await begin(bench, 'raw', ['sleep', '1000'], { max_run_after_disconnect: '0' })
    short.socket.close(1000)
    long.socket.close(1000)
    await gone(short.info.session_id)
    expect(await ids()).to.include(long.info.session_id)
    expect((await get(bench, `${at}/exec/${long.info.session_id}/kill?signal=9`, { method: 'POST' })).body).to.include('"exit_code":137')
    expect((await get(bench, `${at}/exec/${long.info.session_id}/kill`, { method: 'POST' })).status).to.equal(410)
  })

  it('shows one terminal to several, who may all type, and ends its time only when all are gone', async () => {
    const one = await begin(bench, 'raw', ['sh'], { tty: 'true', max_run_after_disconnect: '200ms' })
    const two = dial(bench, `${at}/exec?id=${one.info.session_id}`, { tty: true })
    await two.until(({ info }) => info !== undefined)
    expect([one.info.is_owner, two.info.is_owner]).to.deep.equal([true, false])
    one.send(0, 'echo from-$((1))\n')
    for (const talk of [one, two]) await talk.until(() => talk.text(0).includes('from-1'))
    two.send(0, 'echo from-$((2))\n')
    for (const talk of [one, two]) await talk.until(() => talk.text(0).includes('from-2'))
    one.socket.terminate()
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await ids()).to.include(one.info.session_id)
    two.socket.terminate()
    await gone(one.info.session_id)
  })

  it('lists what others started too, and attaches to it', async () => {
    const computer = await bench.provider.get('raw')
    const session = await computer.sessions.start(['sh', '-c', 'echo hello; sleep 1000'], { detached: true, name: 'theirs' })
    const id = String(session.session.pid)
    expect(await ids()).to.include(id)
    const talk = dial(bench, `${at}/exec/${id}`)
    await talk.until(() => talk.text(1) === 'hello\n')
    await computer.sessions.kill('theirs')
    await talk.closed
    expect((await computer.sessions.get('theirs')).state.status).to.equal('killed')
    await computer.close()
  })

  it('tells which ports the programs of a session listen on', async () => {
    const listener = await begin(bench, 'raw', ['sh', '-c', `exec perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalAddr=>"127.0.0.1",LocalPort=>45871,ReuseAddr=>1,Listen=>1) or die; <STDIN>; close $s; <STDIN>'`], { stdin: 'true' })
    const told = (type: string) => (talk: Talk) => talk.texts.some((text) => text['type'] === type && text['port'] === 45_871 && text['address'] === '127.0.0.1')
    await listener.until(told('port_opened'))
    listener.send(0, '\n')
    await listener.until(told('port_closed'))
    listener.send(4)
    expect([await listener.closed, listener.status]).to.deep.equal([1000, 0])
  })

  it('tells of nobody else\'s ports, whether they were open before or open later, and of those that a program left behind', async () => {
    const listens = (script: string) => ['perl', '-MIO::Socket::INET', '-e', `sub up { push @s, IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $_[0], ReuseAddr => 1, Listen => 1) or die } ${script}`]
    const theirs = await begin(bench, 'raw', listens('up(45872); <STDIN>; up(45873); <STDIN>'), { stdin: 'true' })
    await get(bench, `${at}/services/listens?duration=10ms`, { method: 'PUT', body: JSON.stringify({ cmd: 'perl', args: listens('up(45874); sleep 1000').slice(1) }) })
    const computer = await bench.provider.get('raw')
    const listening = (port: number) => settled(async () => (await computer.ports.list()).some((one) => one.port === port))
    await listening(45_872)
    await listening(45_874)
    const own = await begin(bench, 'raw', listens('up(45875); <STDIN>; if (!fork) { exit if fork; up(45876); sleep 1000 } <STDIN>'), { stdin: 'true' })
    const told = (port: number) => own.until(({ texts }) => texts.some((text) => text['type'] === 'port_opened' && text['port'] === port))
    await told(45_875)
    theirs.send(0, '\n')
    await listening(45_873)
    own.send(0, '\n')
    await told(45_876)
    expect(own.texts.filter(({ type }) => type === 'port_opened').map(({ port }) => port)).to.deep.equal([45_875, 45_876])
    await get(bench, `${at}/services/listens`, { method: 'DELETE' })
    for (const { info } of [theirs, own]) await get(bench, `${at}/exec/${info.session_id}/kill?timeout=0`, { method: 'POST' })
    await computer.close()
  })

  it('runs fifty at once', async () => {
    const talks = await Promise.all(Array.from({ length: 50 }, (_, n) => begin(bench, 'raw', ['sh', '-c', `seq 1 2000; exit ${n}`])))
    await Promise.all(talks.map(({ closed }) => closed))
    const wanted = `${Array.from({ length: 2000 }, (_, n) => n + 1).join('\n')}\n`
    expect(talks.map((talk) => [talk.text(1) === wanted, talk.status])).to.deep.equal(Array.from({ length: 50 }, (_, n) => [true, n]))
  })

  it('serves programs again after another server took its place', async () => {
    const piped = await begin(bench, 'raw', ['sh', '-c', 'echo one; read x; echo two; sleep 1000'], { stdin: 'true', max_run_after_disconnect: '0' })
    const tty = await begin(bench, 'raw', ['sh', '-c', 'echo screen; sleep 1000'], { tty: 'true' })
    await piped.until(() => piped.text(1) === 'one\n')
    await tty.until(() => tty.text(0).includes('screen'))
    await bench.again()
    expect(await ids()).to.include.members([piped.info.session_id, tty.info.session_id])
    const again = dial(bench, `${at}/exec/${piped.info.session_id}`)
    await again.until(({ info }) => info !== undefined)
    again.send(0, '\n')
    await again.until(() => again.text(1).endsWith('two\n'))
    expect((again.info.stdout_offset ?? 0) + again.text(1).length).to.equal(8)
    const screen = dial(bench, `${at}/exec/${tty.info.session_id}`, { tty: true })
    await screen.until(() => screen.text(0).includes('screen'))
    for (const { info } of [piped, tty]) await get(bench, `${at}/exec/${info.session_id}/kill?timeout=1s`, { method: 'POST' })
  })

  it('leaves nothing behind of what has ended', async () => {
    const computer = await bench.provider.get('raw')
    await settled(async () => (await computer.sessions.list()).filter(({ labels }) => Object.keys(labels).length > 0).length === 0)
    await computer.close()
  })

  async function ids(): Promise<readonly string[]> {
    const { body } = await get<{ sessions: { id: string }[] }>(bench, `${at}/exec`)
    return body.sessions.map(({ id }) => id)
  }

  const gone = (id: string) => settled(async () => !(await ids()).includes(id))
})

async function settled(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 30))
}
