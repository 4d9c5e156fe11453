import { after, before, describe, it } from 'mocha'
import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Ran, Scratch, bin } from '../support/amux.ts'
import { computers, disposeAll } from '../support/computers.ts'
import { TestTerminal } from '../support/terminal.ts'

interface Session {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: { readonly status: string }
}

/** The real agents, from the npm registry. */
describe('agents from npm', function () {
  this.timeout(240_000)
  let amux: Scratch
  const chosen = { AMUX_PROVIDER: 'local' }

  before(async () => {
    amux = await Scratch.make()
  })
  after(() => disposeAll(amux))

  const version = ({ status, stdout, stderr }: Ran): string => {
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }
  const sessions = async () => (await amux.json<readonly Session[]>(['computer', 'session', 'ls'])).document
  const sh = (line: string) => amux.run(['computer', 'exec', '--', 'sh', '-c', line])

  it('one command makes the computer, installs Claude Code and runs it: once, however many at the same time', async () => {
    const all = await Promise.all([1, 2, 3].map(() => amux.run(['claude', '--', '--version'], { env: chosen })))
    expect(new Set(all.map(version)).size).to.equal(1)
    expect(all[0]?.stdout).to.match(/^\d+\.\d+\.\d+ \(Claude Code\)/u)
    expect(await computers(amux)).to.have.length(1)
    expect(all.filter(({ stderr }) => stderr.includes('Creating '))).to.have.length(1)
    // The one that is there already will do.
    expect(all.filter(({ stderr }) => stderr.includes('Bringing Node.js'))).to.have.length(0)
    // Nothing is left of the installation, and nothing of what ran attached.
    expect(await sessions()).to.deep.equal([])
  })

  it('the second time it goes straight in', async () => {
    const again = await amux.run(['claude', '--', '--version'])
    expect(version(again)).to.contain('Claude Code')
    expect(again.stderr).to.equal('')
  })

  it('an agent that vanished is installed again, whatever was noted', async () => {
    expect(version(await sh('rm "$HOME/.local/bin/claude"'))).to.equal('')
    const again = await amux.run(['claude', '--', '--version'])
    expect(version(again)).to.contain('Claude Code')
    expect(again.stderr).to.contain('Installing Claude Code')
  })

  it('Claude Code runs without a terminal, and says itself what it misses', async () => {
    const { status, stdout, stderr } = await amux.run(['claude', '--', '-p', 'hello'])
    expect(status).to.equal(1)
    expect(stdout).to.contain('Not logged in')
    expect(stderr).to.contain('-e ANTHROPIC_API_KEY')
  })

  it('Codex draws its screen, follows the window, survives its client and is found as it was', async () => {
    expect(version(await amux.run(['codex', '--', '--version']))).to.match(/codex/u)
    const line = `'${process.execPath}' '${bin}' codex`
    const first = new TestTerminal(line, { cols: 100, rows: 30, cwd: amux.project, env: amux.env() })
    await first.shows(/Sign in|Welcome to Codex/u)
    first.resize(72, 20)
    await first.shows(/Press enter to continue/u)
    const screen = await settled(first)
    expect(Math.max(...screen.split('\n').map((row) => row.length))).to.be.at.most(72)
    first.pty.kill('SIGKILL')
    const running = (await sessions()).filter(({ state }) => state.status === 'running')
    expect(running.map(({ labels }) => labels)).to.deep.equal([{ agent: 'codex' }])
    const second = new TestTerminal(`${line} --attach`, { cols: 72, rows: 20, cwd: amux.project, env: amux.env() })
    await second.shows(/Press enter to continue/u)
    expect(await settled(second)).to.equal(screen)
    second.type('\u0003')
    expect(await second.ended()).to.be.a('number')
    for (const terminal of [first, second]) terminal.dispose()
  })

  it('a registry that does not answer is an error with the reason, and the next command', async () => {
    const { status, stderr } = await amux.run(['amp', '--', '--version'], { env: { AMUX_NPM_REGISTRY: 'http://127.0.0.1:9/' } })
    expect(status).to.equal(125)
    expect(stderr).to.contain('Amp could not be installed').and.contain('ECONNREFUSED').and.contain('amux computer session logs')
  })

  it('one whose certificate the computer does not know, too, and says how to make it known', async () => {
    const [key, cert] = [join(amux.project, 'key.pem'), join(amux.project, 'cert.pem')]
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1', '-keyout', key, '-out', cert], { stdio: 'ignore' })
    // On the computer itself, which has a loopback of its own.
    const registry = `const { readFileSync } = require('fs'); require('https').createServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }, (_, response) => response.end('{}')).listen(8443, '127.0.0.1')`
    await amux.run(['computer', 'exec', '-d', '--name', 'registry', '--', 'node', '-e', registry])
    for (let status: number | null = 1; status !== 0; ) ({ status } = await sh("node -e \"require('net').connect(8443, '127.0.0.1').on('connect', () => process.exit()).on('error', () => process.exit(1))\""))
    const { status, stderr } = await amux.run(['amp', '--', '--version'], { env: { AMUX_NPM_REGISTRY: 'https://127.0.0.1:8443/' } })
    await amux.run(['computer', 'session', 'kill', 'registry'])
    expect(status).to.equal(125)
    expect(stderr).to.contain('self-signed certificate').and.contain('update-ca-certificates').and.contain('amux computer session logs')
  })
})

/** What the screen shows once it has stopped changing. */
async function settled(terminal: TestTerminal): Promise<string> {
  for (let before = ''; ; ) {
    const now = await terminal.text()
    if (now === before) return now
    before = now
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}
