import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { type Ran, Scratch } from '../support/amux.ts'
import { computers, disposeAll } from '../support/computers.ts'

interface Case {
  readonly args: readonly string[]
  readonly input?: string
  /** Where there is something for the ordinary way to say. */
  readonly ordinary?: true
}

const cases: readonly Case[] = [
  { args: ['exec', '--', 'printf', '[%s]', 'a b', '', 'c\nd', '--', '-x', '--json'] },
  { args: ['x', '--', 'echo', 'alias'] },
  { args: ['exec', 'printf', '%s|', '-a', '--json', '-q'] },
  { args: ['exec', '--', 'sh', '-c', 'echo out; echo err >&2; exit 42'] },
  { args: ['exec', '--', 'sh', '-c', 'kill -TERM $$'] },
  { args: ['exec', '--', 'cat'], input: 'some input' },
  { args: ['exec', '-i', '--', 'wc', '-c'], input: '12345' },
  { args: ['exec', '--no-stdin', '--', 'wc', '-c'], input: '12345' },
  { args: ['exec', '-t', '--', 'sh', '-c', 'tty >/dev/null && stty size'] },
  { args: ['exec', '-e', 'A=1', '-eB= x', '--', 'sh', '-c', 'echo "$A|$B"'] },
  { args: ['exec', '-w', '/', '--', 'pwd'] },
  { args: ['exec', '--', 'pwd'] },
  { args: ['exec', '-u', 'nobody', '--', 'id', '-un'] },
  { args: ['exec', '--shell', '--', 'echo a | tr a b; exit 3'] },
  { args: ['exec', '--', 'no-such-program'] },
  { args: ['exec', '--json', '--', 'no-such-program'] },
  { args: ['exec', '--', '/etc/passwd'] },
  { args: ['exec', '--', 'ls -l'] },
  { args: ['exec', '-w', '/none', '--', 'true'] },
  { args: ['exec', '-u', 'no-such-user', '--', 'true'] },
  { args: ['exec', '--timeout', '200ms', '--', 'sleep', '1000'] },
  { args: ['exec', '--detach-keys', 'ctrl-ö', '--', 'true'] },
  { args: ['exec', 'sh', '-c', 'echo "$@"', 'sh', '--help', '-h', '--version'] },
  { args: ['exec', '-w', '/', '-h'], ordinary: true },
  { args: ['exec', '-e', 'NOT_SET_HERE', '--', 'true'] },
  { args: ['exec', '--shell', '--', 'a', 'b'] },
  { args: ['run', 'echo', '--', '--json'] },
  { args: ['run', '--', 'echo', 'hi'] },
  { args: ['run'], ordinary: true },
  { args: ['shell'], input: 'echo hi; exit 5\n' },
  { args: ['attach', 'nothing-like-it'] },
  { args: ['attach'] },
  { args: ['exec'], ordinary: true },
  { args: ['exec', 'word', '--', 'true'], ordinary: true },
  { args: ['exec', '--unknown', '--', 'true'], ordinary: true },
  { args: ['exec', '--timeout', 'never', '--', 'true'], ordinary: true },
  { args: ['exec', '-c', 'no-such-computer', '--', 'true'], ordinary: true },
  { args: ['exec', '-P', 'no-such-provider', '--', 'true'], ordinary: true },
  { args: ['cp', '/etc/hostname', ':/tmp/amux-ways'] },
  { args: ['cp', '--json', '/etc/hostname', ':~/ways'] },
  { args: ['cp', ':/etc/hostname', '/tmp/amux-ways-out'] },
  { args: ['cp', '/etc/apt', ':/tmp/amux-ways-apt'] },
  { args: ['cp', '-q', '/etc/apt/.', ':no/such/place'] },
  { args: ['cp', '/no/such/file', ':/tmp'] },
  { args: ['cp', '--json', '/no/such/file', ':/tmp'] },
  { args: ['cp', ':/no/such/file', '.'] },
  { args: ['cp', '/etc/hostname', ':/etc/hostname/x'] },
  { args: ['cp', '/etc/apt', ':/etc/hostname'] },
  { args: ['cp', '/etc/hostname', 'no-such-computer:/tmp'], ordinary: true },
  { args: ['cp', '/etc/hostname', '/tmp'], ordinary: true },
  { args: ['cp', ':/etc/apt', '-'], ordinary: true },
  { args: ['cp', '/etc/hostname', ':/tmp/x', '-q'], ordinary: true },
  { args: ['shell', 'word'], ordinary: true },
  { args: ['attach', 'a', 'b'], ordinary: true },
]

describe('the hot way and the ordinary one', () => {
  let amux: Scratch
  before(async () => {
    amux = await Scratch.make()
    const { status, stderr } = await amux.run(['computer', 'create', '-P', 'local'])
    expect(status, stderr).to.equal(0)
  })
  after(() => disposeAll(amux))

  const endpoints = () => join(amux.home, 'state/endpoints')

  /** Node tells which files it ran. */
  async function traced({ args, input }: Case): Promise<Ran & { readonly hot: boolean }> {
    const dir = join(amux.path, 'coverage')
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir)
    const ran = await amux.run(['computer', ...args], { env: { NODE_V8_COVERAGE: dir }, ...(input !== undefined && { input }) })
    const loaded = readdirSync(dir).map((file) => readFileSync(join(dir, file), 'utf8')).join('')
    return { ...ran, hot: loaded.includes('/dist/fast.js') && !loaded.includes('/dist/main.js') }
  }

  for (const one of cases) {
    it(`say and do the same: ${one.args.join(' ')}`, async () => {
      rmSync(endpoints(), { recursive: true, force: true })
      const { hot, ...ordinary } = await traced(one)
      expect(hot).to.equal(false)
      await amux.run(['computer', 'exec', '--', 'true'])
      const { hot: taken, ...quick } = await traced(one)
      expect(quick).to.deep.equal(ordinary)
      expect(taken, 'the hot way was taken').to.equal(one.ordinary !== true)
    })
  }

  it('does not believe a record that others could have written', async () => {
    await amux.run(['computer', 'exec', '--', 'true'])
    const [{ name } = { name: '' }] = await computers(amux)
    chmodSync(join(endpoints(), 'local', `${name}.json`), 0o644)
    expect(await traced({ args: ['exec', '--', 'echo', 'fine'] })).to.include({ stdout: 'fine\n', hot: false })
  })

  it('finds the computer after a restart, and then is quick again', async () => {
    await amux.run(['computer', 'exec', '--', 'true'])
    expect((await amux.run(['computer', 'restart', '--yes'])).status).to.equal(0)
    expect(await traced({ args: ['exec', '--', 'echo', 'back'] })).to.include({ status: 0, stdout: 'back\n' })
    expect(await traced({ args: ['exec', '--', 'echo', 'back'] })).to.include({ status: 0, stdout: 'back\n', hot: true })
  })

  it('wakes a computer that was stopped', async () => {
    await amux.run(['computer', 'stop', '--yes'])
    expect(await traced({ args: ['exec', '--', 'echo', 'awake'] })).to.include({ status: 0, stdout: 'awake\n', hot: false })
  })
})
