import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { type ErrorDocument, Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'
import { TestTerminal } from '../support/terminal.ts'

interface Session {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: { readonly status: string }
  readonly cwd: string
  readonly owned: boolean
}

/** Stands in for an agent: tells what it was given, then echoes lines until it reads "bye". */
const AGENT = `#!/bin/sh
printf 'args:'; for arg; do printf ' [%s]' "$arg"; done; echo
echo "in $PWD as CI=\${CI-unset} KEY=\${FACTORY_API_KEY-unset} TERM=\${TERM-unset}"
[ "$1" = --version ] && exit 0
[ "$1" = status ] && exit "$2"
while read -r line; do echo "heard $line"; [ "$line" = bye ] && exit 7; done
`

describe('amux computer run and the shortcuts', () => {
  let amux: Scratch

  before(async () => {
    amux = await Scratch.make()
    await amux.run(['computer', 'create', '-P', 'local'])
    writeFileSync(join(amux.path, 'droid'), AGENT)
    chmodSync(join(amux.path, 'droid'), 0o755)
    await amux.run(['computer', 'exec', '--', 'sh', '-c', 'mkdir -p "$HOME/.local/bin"'])
    const { status, stderr } = await amux.run(['computer', 'cp', join(amux.path, 'droid'), ':~/.local/bin/droid'])
    expect(status, stderr).to.equal(0)
  })
  after(() => disposeAll(amux))

  const sessions = async (): Promise<readonly Session[]> => (await amux.json<readonly Session[]>(['computer', 'session', 'ls'])).document.filter(({ state }) => state.status === 'running')
  const line = (...args: string[]) => [process.execPath, bin, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const terminal = (...args: string[]) => new TestTerminal(line(...args), { cwd: amux.project, env: amux.env() })
  const endAll = async () => {
    for (const { id } of await sessions()) await amux.run(['computer', 'session', 'kill', id])
  }

  it('passes arguments exactly, in order, every one of them', async () => {
    const args = ['-p', 'two words', '', "it's $(not) `expanded`", '--', '--json', '--version=1', 'line\nbreak', '-c', 'x'.repeat(100_000)]
    const { stdout, status } = await amux.run(['droid', '--', 'status', '0', ...args])
    expect(stdout.slice(0, stdout.lastIndexOf('\nin '))).to.equal(`args: [status] [0]${args.map((arg) => ` [${arg}]`).join('')}`)
    expect(status).to.equal(0)
  })

  it('runs where one stands, and forwards nothing of the environment unasked', async () => {
    mkdirSync(join(amux.project, 'sub'))
    const { stdout } = await amux.run(['droid', '--', '--version'], { cwd: join(amux.project, 'sub'), env: { CI: '1', FACTORY_API_KEY: 'k' } })
    expect(stdout).to.contain(`in ${amux.project}/sub as CI=unset KEY=unset`)
    const given = await amux.run(['droid', '-e', 'FACTORY_API_KEY', '--', '--version'], { env: { FACTORY_API_KEY: 'k' } })
    expect(given.stdout).to.contain('KEY=k')
    const missing = await amux.run(['droid', '-e', 'NO_SUCH_VARIABLE', '--', '--version'])
    expect(missing.status).to.equal(125)
    expect(missing.stderr).to.contain('NO_SUCH_VARIABLE')
  })

  it('passes the status through', async () => {
    expect((await amux.run(['computer', 'run', 'droid', '--', 'status', '42'])).status).to.equal(42)
    expect((await amux.run(['computer', 'run', 'sh', '--', '-c', 'kill -9 $$'])).status).to.equal(137)
    expect((await amux.run(['computer', 'run', 'no-such-program'])).status).to.equal(127)
  })

  it('works between pipes', async () => {
    const { stdout, status } = await amux.run(['droid'], { input: 'one\nbye\n' })
    expect(stdout).to.contain('heard one\nheard bye\n')
    expect(status).to.equal(7)
  })

  it('says in one line that a login is missing, and where to put what is meant for the agent', async () => {
    const { stderr } = await amux.run(['droid'], { input: 'bye\n' })
    expect(stderr).to.match(/^amux: Droid has no login on \S+ yet: .*-e FACTORY_API_KEY\n$/u)
    const wrong = await amux.run(['droid', '--print'])
    expect(wrong.status).to.equal(125)
    expect(wrong.stderr).to.contain('amux droid -- ARGS')
    const both = await amux.run(['droid', '--attach', '--', 'x'])
    expect(both.status).to.equal(125)
    expect((await amux.run(['droid', '--attach'])).stderr).to.contain('no session of droid runs')
  })

  it('labels its session, and goes back to a detached one without asking where nobody can answer', async () => {
    const started = await amux.json<Session>(['droid', '-d'])
    expect(started.document.labels).to.deep.equal({ agent: 'droid' })
    const back = await amux.run(['droid', '-i'], { input: 'again\nbye\n' })
    expect(back.stdout).to.contain('args:').and.contain('heard again')
    expect(back.status).to.equal(7)
    expect(await sessions()).to.deep.equal([])
  })

  it('starts another one with --new, and with arguments', async () => {
    await amux.run(['droid', '-d'])
    expect((await amux.run(['droid', '--new'], { input: 'bye\n' })).stdout).to.not.contain('again')
    expect((await amux.run(['droid', '--', '--version'])).stdout).to.contain('args: [--version]')
    expect(await sessions()).to.have.length(1)
    await endAll()
  })

  it('asks on a terminal whether to go back or to start a new one', async () => {
    const first = terminal('droid')
    await first.shows('in /')
    first.type('remember me\r')
    await first.shows('heard remember me')
    first.pty.kill('SIGKILL')
    const asking = terminal('droid')
    await asking.shows('Droid runs here already')
    asking.type('\r')
    await asking.shows('heard remember me')
    asking.type('\u001C')
    await asking.ended()
    const fresh = terminal('droid')
    await fresh.shows('Droid runs here already')
    fresh.type('n\r')
    await fresh.shows('args:')
    expect(await fresh.text()).to.not.contain('remember me')
    fresh.type('bye\r')
    expect(await fresh.ended()).to.equal(7)
    for (const one of [first, asking, fresh]) one.dispose()
    await endAll()
  })

  it('offers the conversation that a restore ended', async () => {
    const point = (await amux.run(['computer', 'checkpoint', 'create'])).stdout.trim()
    const restored = async () => {
      await amux.run(['droid', '-d'])
      const { status, stderr } = await amux.run(['computer', 'checkpoint', 'restore', point, '--yes'])
      expect(status, stderr).to.equal(0)
    }
    await restored()
    const piped = await amux.run(['droid'], { input: 'bye\n' })
    expect(piped.stdout).to.contain('args:\n')
    expect(piped.stderr).to.contain('to go on with its conversation: amux droid -- --resume --last')
    await restored()
    const asking = terminal('droid')
    await asking.shows('Go on with its conversation?')
    asking.type('\r')
    await asking.shows('args: [--resume] [--last]')
    asking.type('bye\r')
    expect(await asking.ended()).to.equal(7)
    const after = await amux.run(['droid'], { input: 'bye\n' })
    expect(after.stderr).to.not.contain('conversation')
    asking.dispose()
  })

  it('refuses a directory that is not on the computer', async () => {
    const git = (...args: string[]) => execFileSync('git', ['-C', amux.project, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { stdio: 'pipe' })
    git('init', '--quiet')
    git('commit', '--allow-empty', '-m', 'first')
    // A computer never has a home as a whole: such a worktree is left out.
    const home = join(amux.path, 'outside')
    git('worktree', 'add', home)
    for (const args of [['droid', '--', '--version'], ['computer', 'exec', '--', 'pwd'], ['computer', 'exec', '-w', 'sub', '--', 'pwd']]) {
      const { status, stdout, stderr } = await amux.run(args, { cwd: home, env: { HOME: home } })
      expect({ args, status, stdout }).to.deep.equal({ args, status: 125, stdout: '' })
      expect(stderr).to.contain(`${home} is not on`).and.contain(`-w ${amux.project}`)
    }
  })

  it('gives its failures as JSON on stderr, where stdout is the program’s', async () => {
    const { status, stdout, stderr } = await amux.run(['droid', '--json', '-c', 'no-such-computer'])
    expect({ status, stdout }).to.deep.equal({ status: 125, stdout: '' })
    expect((JSON.parse(stderr) as ErrorDocument).error.code).to.equal('not_found')
  })
})
