import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { until } from '../support.ts'
import { type Bench, serve } from './support.ts'
import { get, queryOf } from './talk.ts'

const policy = { rules: [{ domain: 'allowed.example', action: 'allow' }] }

const DIAL = 'use IO::Socket::UNIX; sub dial { IO::Socket::UNIX->new(Peer => "/.sprite/api.sock") } my %n; sub said { join ",", map { "$_=$n{$_}" } sort keys %n }'

/** Each asks, and reads one line of its answer, before any of them leaves. */
const MANY = String.raw`${DIAL} my @all = map { dial() } 1..200;
for my $s (@all) { print {$s} "GET /v1/tasks HTTP/1.1\r\nhost: sprite\r\n\r\n"; $s->flush }
for my $s (@all) { my ($status) = <$s> =~ / (\d+)/; $n{$status}++ }
print said()`

/** Requests without end, none of which is ever answered to its end. */
const FLOOD = String.raw`$SIG{PIPE} = "IGNORE"; ${DIAL} my $s = dial(); my $ok = 1;
for (1..200000) { last unless $ok = syswrite $s, "GET /v1/services/sleeper/logs?duration=1h HTTP/1.1\r\nhost: sprite\r\n\r\n" }
print $ok ? "taken" : "cut off"`

const TASKS = String.raw`${DIAL} my $s = dial();
for my $id (1..260) {
  my $body = qq({"name":"t$id","expire":60});
  print {$s} "POST /v1/tasks HTTP/1.1\r\nhost: sprite\r\ncontent-length: " . length($body) . "\r\n\r\n$body"; $s->flush;
  my ($status) = <$s> =~ / (\d+)/; $n{$status}++;
  my $size = 0;
  while ((my $line = <$s>) ne "\r\n") { $size = $1 if $line =~ /content-length: (\d+)/i }
  read $s, my $rest, $size;
}
print said()`

describe("the server, to a sprite's own programs that mean no good", () => {
  let bench: Bench
  before(async () => {
    bench = await serve()
    for (const name of ['inner', 'other']) await get(bench, '/v1/sprites', { method: 'POST', body: JSON.stringify({ name }) })
    await until('the socket is there', async () => (await ask('GET', '/v1/tasks')).status === 200)
  })
  after(async () => {
    await bench.end()
    expect(bench.log).to.deep.equal([])
  })

  async function run(...argv: string[]): Promise<string> {
    // Said at once, it is one frame; the last two bytes are the status.
    const words = ['sh', '-c', 'said=$("$@"); printf %s "$said"', 'sh', ...argv]
    const { body } = await get<string>(bench, `/v1/sprites/inner/exec?${queryOf(words)}`, { method: 'POST' })
    return body.slice(1, -2)
  }

  async function ask(method: string, path: string, body?: string): Promise<{ readonly status: number; readonly text: string }> {
    const said = await run('curl', '-s', '-m', '20', '--path-as-is', '-g', '--unix-socket', '/.sprite/api.sock', '-X', method, ...(body === undefined ? [] : ['-d', body]), '-w', '\n%{http_code}', `http://sprite${path}`)
    const cut = said.lastIndexOf('\n')
    return { status: Number(said.slice(cut + 1)), text: said.slice(0, cut) }
  }

  it('answers about their own sprite alone, however the path is written', async () => {
    for (const [method, path] of [
      ['GET', '/%76%31/sprites'],
      ['GET', '/v%31/sprites/other'],
      ['POST', '/%76%31/sprites/other/exec?cmd=id'],
      ['DELETE', '/%76%31/sprites/other'],
      ['GET', '/v1/sprites'],
      ['GET', '/v1/../sprites/other/tasks'],
      ['GET', '/v1/..%2fother/tasks'],
      ['GET', '//v1/sprites/other/tasks'],
      ['GET', '/v1x/tasks'],
      ['GET', '/'],
    ] as const) {
      const { status, text } = await ask(method, path)
      expect([status, text.includes('not_found')], `${method} ${path}: ${text}`).to.deep.equal([404, true])
    }
    expect((await get(bench, '/v1/sprites/other')).status).to.equal(200)
  })

  it('lets them lift nothing that was set for them from outside', async () => {
    expect((await get(bench, '/v1/sprites/inner/policy/network', { method: 'POST', body: JSON.stringify(policy) })).status).to.equal(204)
    const id = /ID: (\w+)/.exec((await get<string>(bench, '/v1/sprites/inner/checkpoint', { method: 'POST', body: '{}' })).body)?.[1] ?? ''
    for (const [method, path, body] of [
      ['POST', '/v1/policy/network', '{"rules":[]}'],
      ['PUT', '/v1', '{"url_settings":{"auth":"public"}}'],
      ['DELETE', '/v1'],
      ['PUT', '/v1/', '{"url_settings":{"auth":"public"}}'],
      ['DELETE', `/v1/checkpoints/${id}`],
      ['GET', '/v1/fs/read?path=/etc/shadow'],
      ['PUT', '/v1/fs/write?path=/etc/sudoers.d/x&asRoot=true', 'x'],
      ['POST', '/v1/exec?cmd=id'],
      ['POST', '/v1/restart'],
      ['POST', '/v1/amux/import', 'x'],
      ['GET', '/v1/amux/info'],
    ] as const) {
      const { status, text } = await ask(method, path, body)
      expect(status, `${method} ${path}: ${text}`).to.be.oneOf([404, 405])
    }
    expect((await get(bench, '/v1/sprites/inner/policy/network')).body).to.deep.equal(policy)
    expect((await get<{ url_settings: object }>(bench, '/v1/sprites/inner')).body.url_settings).to.deep.equal({ auth: 'sprite' })
    expect((await get(bench, `/v1/sprites/inner/checkpoints/${id}`)).status).to.equal(200)
  })

  it('takes so many connections of theirs and no more, says so, and takes others once those are gone', async () => {
    expect(await run('perl', '-e', MANY)).to.match(/^200=6[0-4],503=1(3[6-9]|40)$/)
    await until('they are let in again', async () => (await ask('GET', '/v1/tasks')).status === 200)
    expect((await ask('PUT', '/v1/services/sleeper?duration=10ms', '{"cmd":"sleep","args":["1000"]}')).status).to.equal(200)
    expect(await run('perl', '-e', FLOOD)).to.equal('cut off')
    expect((await ask('DELETE', '/v1/services/sleeper')).status).to.equal(204)
  })

  it('gives them what they are to have', async () => {
    expect(JSON.parse((await ask('PUT', '/v1/tasks/work', '{"expire":60}')).text)).to.include({ name: 'work' })
    expect((await ask('DELETE', '/v1/tasks/work')).status).to.equal(204)
    expect((await ask('GET', '/v1/services')).text.trim()).to.equal('[]')
    expect((await ask('POST', '/v1/checkpoint', '{}')).text).to.include('"complete"')
    expect(JSON.parse((await ask('GET', '/v1/checkpoints')).text)).to.have.length(3)
  })

  it('keeps so many tasks and no more', async () => {
    expect(await run('perl', '-e', TASKS)).to.equal('201=256,429=4')
  })
})
