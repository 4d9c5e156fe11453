import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AsideOptions, Computer, NetworkEvent } from '../../src/contract/index.ts'
import { normalise } from '../../src/errors/index.ts'
import { PolicyNetwork } from '../../src/emulation/network/index.ts'
import { startProcess } from '../../src/testkit/process/process.ts'

/** A computer beside which real processes run, of a shell script in place of amux-net. */
class Beside {
  readonly directory = mkdtempSync(join(tmpdir(), 'amux-net-'))
  readonly calls: { readonly argv: readonly string[]; readonly options: AsideOptions }[] = []
  readonly network: PolicyNetwork

  constructor() {
    const computer: Pick<Computer, 'aside' | 'name'> = {
      name: 'lab',
      aside: (argv, options = {}) => {
        this.calls.push({ argv, options })
        return startProcess(['/bin/sh', join(this.directory, 'program'), ...argv.slice(1)], { cwd: this.directory, env: { PATH: process.env['PATH'] ?? '' }, signal: options.signal })
      },
    }
    this.network = new PolicyNetwork(computer)
  }

  program(text: string): void {
    writeFileSync(join(this.directory, 'program'), text)
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8')
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true })
  }
}

async function all(source: AsyncIterable<NetworkEvent>): Promise<NetworkEvent[]> {
  const found: NetworkEvent[] = []
  for await (const event of source) found.push(event)
  return found
}

const failure = (work: Promise<unknown>) => work.then(() => expect.fail('it went well'), (error: unknown) => normalise(error))

describe('The network policy of a computer, by amux-net beside it', () => {
  let beside: Beside
  beforeEach(() => {
    beside = new Beside()
  })
  afterEach(() => beside.dispose())

  it('is handed over compiled, and in force when it says so', async () => {
    beside.program('cat > given; printf \'applied\\t{"cut":2}\\n\'')
    await beside.network.set({ rules: [{ domain: 'Example.com.', action: 'allow' }] })
    expect(beside.read('given')).to.equal('amux-policy 1\ndocument {"rules":[{"domain":"example.com","action":"allow"}]}\nallow example.com\n')
    expect(beside.calls).to.deep.equal([{ argv: ['/amux/amux-net', 'apply', '/store/network'], options: { store: true } }])
  })

  it('may be stored, for a computer that does not run', async () => {
    beside.program('cat > given; echo stored')
    await beside.network.set({ rules: [] })
    expect(beside.read('given')).to.contain('document {"rules":[]}')
  })

  it('that is none does not leave this machine', async () => {
    expect(await failure(beside.network.set({ rules: [{ domain: 'a..b', action: 'allow' }] }))).to.include({ code: 'invalid_argument' })
    expect(beside.calls).to.have.length(0)
  })

  it('is not in force where nothing says so', async () => {
    beside.program('cat > given')
    expect((await failure(beside.network.set({ rules: [] }))).message).to.contain('nothing says that the network policy of lab is in force')
    beside.program('cat > given; kill -9 $$')
    expect((await failure(beside.network.set({ rules: [] }))).message).to.contain('SIGKILL')
  })

  const errors: Readonly<Record<string, object>> = {
    'error\t2\ttool\tnft\tnft is not on this machine': { code: 'tool_missing', hint: 'apt-get install nftables' },
    'error\t22\tpolicy\t3\tnot a domain': { code: 'internal' },
    'error\t28\twrite\tpolicy\tNo space left on device': { code: 'quota_exceeded', message: 'write policy: No space left on device' },
    'error\t1\tnft\t\tOperation not permitted': { code: 'permission_denied' },
  }
  for (const [line, expected] of Object.entries(errors)) {
    it(`fails as it says: ${line.replaceAll('\t', ' ')}`, async () => {
      for (const where of [1, 2]) {
        beside.program(`cat > given; echo '${line}' >&${where}; exit 1`)
        expect(await failure(beside.network.set({ rules: [] }))).to.include(expected)
        expect(await failure(beside.network.get())).to.include(expected)
        expect(await failure(all(beside.network.log()))).to.include(expected)
      }
    })
  }

  it('reads what is there, checked', async () => {
    beside.program('echo \'{"rules":[{"domain":"example.com","action":"allow"},{"include":"defaults"}]}\'')
    expect(await beside.network.get()).to.deep.equal({ rules: [{ domain: 'example.com', action: 'allow' }, { include: 'defaults' }] })
    for (const said of ['', '{"rules":', '{"rules":[{"domain":"\\u001b[2J","action":"allow"}]}', '[]x']) {
      beside.program(`echo '${said}'`)
      expect((await failure(beside.network.get())).code).to.equal('corrupt')
    }
  })

  it('reads the longest policy there may be', async () => {
    const rules = Array.from({ length: 10_000 }, (_, index) => ({ domain: `d${index}.${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example`, action: 'allow' }))
    writeFileSync(join(beside.directory, 'document'), JSON.stringify({ rules }))
    beside.program('cat document')
    expect(await beside.network.get()).to.deep.equal({ rules })
  })

  it('logs events, and passes over what is none', async () => {
    const events: NetworkEvent[] = [
      { time: '2026-01-02T03:04:05.678Z', event: 'policy', reason: '3 rules' },
      { time: '2026-01-02T03:04:06.678Z', event: 'connect', address: '203.0.113.7', port: 443, protocol: 'tcp' },
    ]
    const lines = [JSON.stringify(events[0]), '{"time":"2026-01', '', 'null', '{"time":"x","event":"from the future"}', JSON.stringify({ ...events[1], secret: 1, domain: 7 }), '{"time":']
    writeFileSync(join(beside.directory, 'log'), lines.join('\n'))
    beside.program('cat log')
    expect(await all(beside.network.log())).to.deep.equal(events)
    expect(beside.calls.at(-1)?.argv).to.deep.equal(['/amux/amux-net', 'log', '/store/network'])
    await all(beside.network.log({ denied: true }))
    expect(beside.calls.at(-1)?.argv.slice(3)).to.deep.equal(['--denied'])
  })

  it('follows until nobody wants it any more', async () => {
    beside.program('for i in 1 2; do echo \'{"time":"t","event":"lookup","domain":"a.example"}\'; done; cat > /dev/null')
    let seen = 0
    for await (const event of beside.network.log({ follow: true })) {
      expect(event.domain).to.equal('a.example')
      if (++seen === 2) break
    }
    const stop = new AbortController()
    const ended = await failure((async () => {
      for await (const _ of beside.network.log({ follow: true, signal: stop.signal })) stop.abort()
    })())
    expect(ended.code).to.equal('aborted')
    expect(beside.calls[0]?.argv.slice(3)).to.deep.equal(['--follow'])
  })
})
