import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type Bench, serve } from './support.ts'
import { get } from './talk.ts'

const at = '/v1/sprites/raw/services/web'

interface Event {
  readonly type: string
  readonly data?: string
  readonly exit_code?: number
  readonly timestamp: number
}

describe('the server, on the wire: services', () => {
  let bench: Bench
  before(async () => {
    bench = await serve()
    await get(bench, '/v1/sprites', { method: 'POST', body: '{"name":"raw"}' })
  })
  after(() => bench.end())

  const events = async (path: string, init: RequestInit = {}): Promise<Event[]> => {
    const { body } = await get<string>(bench, path, init)
    return parsed(body)
  }
  const parsed = (text: string) => text.trim().split('\n').map((line) => JSON.parse(line) as Event)
  const logged = async (more = '') => (await events(`${at}/logs${more}`)).filter(({ type }) => type !== 'complete')
  const words = (all: readonly Event[]) => all.map(({ type, data, exit_code }) => [type, data ?? exit_code].filter((word) => word !== undefined).join(' ').trim())

  it('tell what they say when they are started and restarted, each word on its side of the start', async () => {
    const script = String.raw`$| = 1; $SIG{TERM} = sub { print "bye\n"; exit }; print "up\n"; sleep 1 while 1`
    const made = await events(`${at}?duration=500ms`, { method: 'PUT', body: JSON.stringify({ cmd: 'perl', args: ['-e', script] }) })
    expect(words(made)).to.deep.equal(['started', 'stdout up', 'complete'])
    const again = await events(`${at}/restart?duration=500ms`, { method: 'POST' })
    expect(words(again)).to.deep.equal(['stopping', 'stdout bye', 'stopped 0', 'started', 'stdout up', 'complete'])
    expect(again.at(-1)).to.have.all.keys('type', 'timestamp')
  })

  it('have a log whose times stay as they are, and lie where its lines were written', async () => {
    const { body } = await get<{ state: { started_at: string } }>(bench, at)
    const [first, second] = [await logged(), await logged()]
    expect(words(first)).to.deep.equal(['stdout up\nbye', 'stdout up'])
    expect(second).to.deep.equal(first)
    expect(first.at(-1)?.timestamp).to.equal(Date.parse(body.state.started_at))
    expect(first[0]?.timestamp).to.be.below(first.at(-1)?.timestamp ?? 0)
  })

  it('tell what is new with the time at which it comes', async () => {
    const script = 'echo old; echo worse >&2; read x < /tmp/line; echo "$x"; sleep 1000'
    await get(bench, '/v1/sprites/raw/exec?cmd=mkfifo&cmd=/tmp/line', { method: 'POST' })
    await events(`${at}?duration=500ms`, { method: 'PUT', body: JSON.stringify({ cmd: 'sh', args: ['-c', script] }) })
    const before = await logged('?lines=1')
    // Answered, it knows what is old.
    const followed = await fetch(`${bench.url}${at}/logs?lines=1&duration=1s`, { headers: { authorization: `Bearer ${bench.token}` } })
    const written = Date.now()
    await get(bench, '/v1/sprites/raw/exec?cmd=sh&cmd=-c&cmd=echo%20new%3E/tmp/line', { method: 'POST' })
    const after = parsed(await followed.text()).filter(({ type }) => type !== 'complete')
    expect(after[0]).to.deep.equal(before[0])
    expect(words(after).at(-1)).to.equal('stdout new')
    expect(after.at(-1)?.timestamp).to.be.at.least(written)
  })
})
