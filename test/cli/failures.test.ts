import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ErrorDocument, Scratch, bin } from '../support/amux.ts'
import { linkPlugins, registering } from '../support/plugins.ts'

const slow = 'async connect() { return { async health() { return { ok: true, message: "" } }, create: never, get: never, async *list() { await never() } } }'
const hostile = String.raw`title: 'nice\u001b]0;owned\u0007\u001b[31m\u009b31m', `

/** A line for bash, with `"$0" "$1"` for amux. */
async function shell(line: string, scratch: Scratch): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn('bash', ['-c', line, process.execPath, bin], { cwd: scratch.project, env: scratch.env(), stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { status, ...said }
}

describe('When something is wrong, amux', () => {
  let scratch: Scratch
  before(async () => {
    scratch = await Scratch.make()
    await linkPlugins(scratch.home, [
      { name: 'slow', hook: `const never = () => new Promise(() => setInterval(() => {}, 1000))\n${registering('slow', slow)}` },
      { name: 'hostile', hook: registering('hostile', hostile) },
    ])
  })
  after(() => scratch.dispose())

  const usage: Readonly<Record<string, { readonly argv: readonly string[]; readonly says: RegExp; readonly hint: RegExp }>> = {
    'an unknown flag': { argv: ['status', '--jsn'], says: /^unknown flag: --jsn$/, hint: /Did you mean --json\?/ },
    'a flag without its value': { argv: ['computer', 'info', '-c'], says: /computer/, hint: /amux computer info --help/ },
    'a value that is no duration': { argv: ['status', '--timeout', 'soon'], says: /"soon" is not a duration/, hint: /30s/ },
    'too many arguments': { argv: ['status', 'now'], says: /^unexpected argument: now$/, hint: /amux status --help/ },
    'a missing argument': { argv: ['provider', 'info'], says: /^missing argument: ID$/, hint: /amux provider info --help/ },
    'an unknown command': { argv: ['stats'], says: /there is no command "amux stats"/, hint: /Did you mean: amux status/ },
    'a command of a provider that is not installed': { argv: ['docker', 'info'], says: /^"amux docker" comes with a plugin that is not installed$/, hint: /amux plugins install @amux\/provider-docker/ },
    'an unknown command of a topic': { argv: ['computer', 'lss'], says: /there is no command "amux computer lss"/, hint: /amux computer ls/ },
    'a command without its topic': { argv: ['capabilities'], says: /there is no command/, hint: /amux computer capabilities/ },
    'a value that is not one of those there are': { argv: ['computer', 'wait', '--for', 'nope'], says: /^--for takes running, stopped or idle, not "nope"$/, hint: /amux computer wait --help/ },
    'a number that is too small': { argv: ['computer', 'session', 'logs', 'x', '--tail', '-1'], says: /^--tail: -1 is less than 0$/, hint: /amux computer session logs --help/ },
    'flags that exclude each other': { argv: ['computer', 'session', 'logs', 'x', '--tail', '1', '--from', '2'], says: /^--\w+ and --\w+ do not go together$/, hint: /logs --help/ },
    'a missing port': { argv: ['computer', 'proxy'], says: /^which port\?$/, hint: /^amux computer proxy -p 3000\. Or all that open there: amux computer proxy --auto$/ },
    "a provider's own option as a flag": { argv: ['computer', 'create', '--root', '/x'], says: /^unknown flag: --root$/, hint: /-o root=VALUE/ },
    'a path beside its checkpoint': { argv: ['computer', 'checkpoint', 'cat', 'v2', 'a.txt'], says: /^unexpected argument: a\.txt$/, hint: /^Did you mean: amux computer checkpoint cat v2:a\.txt$/ },
    'paths beside the checkpoint to restore': { argv: ['computer', 'checkpoint', 'restore', 'v2', 'a.txt', 'b'], says: /^unexpected arguments: a\.txt b$/, hint: /^Did you mean: amux computer checkpoint restore v2 --paths a\.txt --paths b$/ },
    'a service without its program': { argv: ['computer', 'service', 'create', 'web'], says: /^which program\?$/, hint: /^amux computer service create web -- PROGRAM ARGS$/ },
    'a name that stands by itself': { argv: ['computer', 'create', 'demo'], says: /^unexpected argument: demo$/, hint: /--name demo/ },
    'a flag of a topic': { argv: ['computer', '--nope'], says: /amux computer takes no flag --nope/, hint: /amux computer --help/ },
    'sessions to be forgotten without saying which': { argv: ['computer', 'session', 'rm'], says: /^which sessions\?$/, hint: /session rm --ended/ },
    'a command of an agent below computer': { argv: ['sandbox', 'claude'], says: /there is no command/, hint: /^Did you mean: amux claude$/ },
    'a session command without its topic': { argv: ['session', 'ls'], says: /there is no command/, hint: /^Did you mean: amux computer session ls$/ },
    'a word that is near to none': { argv: ['computer', 'nope'], says: /there is no command/, hint: /^See: amux computer --help$/ },
    'a flag before the command': { argv: ['--provider', 'x', 'status'], says: /no flag --provider before the command/, hint: /amux COMMAND --provider/ },
  }
  for (const [what, { argv, says, hint }] of Object.entries(usage)) {
    it(`explains ${what}, to people and to scripts`, async () => {
      const text = await scratch.run(argv)
      expect(text).to.include({ status: 2, stdout: '' })
      expect(text.stderr).to.match(/^amux: /)
      expect(text.stderr).not.to.match(/^\s+at |oclif|config/m)
      const { status, document } = await scratch.json<ErrorDocument>(argv)
      expect(status).to.equal(2)
      expect(document.error).to.include({ code: 'invalid_argument', source: 'amux' })
      expect(document.error.message).to.match(says)
      expect(document.error.hint).to.match(hint)
    })
  }

  it('says on stderr what a program-passing command fails with, and leaves stdout to the program', async () => {
    const ran = await scratch.run(['computer', 'exec', '--json', '--nonsense', '--', 'true'])
    expect(ran).to.include({ status: 125, stdout: '' })
    expect(JSON.parse(ran.stderr.trim().split('\n').at(-1) ?? '')).to.have.nested.property('error.code', 'invalid_argument')
  })

  it('says how to choose a provider', async () => {
    const { status, document } = await scratch.json<ErrorDocument>(['computer', 'create'])
    expect(status).to.equal(4)
    expect(document.error.code).to.equal('no_provider')
    expect(document.error.hint).to.match(/amux computer create -P local/)
  })

  it('names the command that installs a missing provider', async () => {
    const { status, document } = await scratch.json<ErrorDocument>(['computer', 'create', '-P', 'docker'])
    expect(status).to.equal(4)
    expect(document.error).to.include({ code: 'provider_missing', hint: 'Install it: amux plugins install @amux/provider-docker' })
  })

  it('shows a stack only to who asks for one', async () => {
    const ran = await scratch.run(['provider', 'info', 'nothing'], { env: { DEBUG: 'amux' } })
    expect(ran.stderr).to.match(/^\s+at /m)
  })

  it('leaves a damaged settings file alone and names it', async () => {
    const file = join(scratch.home, 'config/config.json')
    await mkdir(join(scratch.home, 'config'), { recursive: true, mode: 0o700 })
    await writeFile(file, '{ no json')
    const ran = await scratch.run(['doctor'])
    expect(ran.status).to.equal(1)
    expect(ran.stdout).to.match(/settings\s+broken\s+.*config\.json is not JSON/)
    await writeFile(file, '{}')
  })

  it('refuses credentials that others may read', async () => {
    const file = join(scratch.home, 'config/credentials.json')
    await writeFile(file, '{}')
    await chmod(file, 0o644)
    const ran = await scratch.run(['doctor'])
    expect(ran.stdout).to.match(/settings\s+broken\s+.*others may read it/)
    await chmod(file, 0o600)
  })

  it('lets no control byte of a plugin reach the terminal', async () => {
    for (const argv of [['provider', 'ls'], ['provider', 'info', 'hostile'], ['provider', 'ls', '--json']]) {
      const { status, stdout, stderr } = await scratch.run(argv)
      expect(status).to.equal(0)
      expect(stdout + stderr).to.include('nice')
      expect(stdout + stderr).not.to.match(/(?!\n)\p{Cc}/u)
    }
  })

  it('gives up at the time limit', async () => {
    const { status, document } = await scratch.json<ErrorDocument>(['computer', 'ls', '-P', 'slow', '--timeout', '300ms'])
    expect(status).to.equal(124)
    expect(document.error).to.include({ code: 'timeout' })
  })

  it('ends with 130 at Ctrl-C', async () => {
    const child = spawn(process.execPath, [bin, 'computer', 'ls', '-P', 'slow'], { cwd: scratch.project, env: scratch.env(), stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const repeat = setInterval(() => child.kill('SIGINT'), 500)
    const status = await new Promise((resolve) => child.on('close', resolve))
    clearInterval(repeat)
    expect(status).to.equal(130)
    expect(stderr).not.to.match(/^\s+at /m)
  })

  it('fails when standard output cannot be written: what it said is lost', async () => {
    for (const line of ['provider ls', 'provider ls --json', '--help', 'status']) {
      const ran = await shell(`"$0" "$1" ${line} > /dev/full`, scratch)
      expect(ran.status, line).to.equal(1)
      expect(ran.stderr, line).to.match(/^amux: standard output cannot be written: ENOSPC/).and.not.match(/^\s+at /m)
    }
  })

  it('says that the directory one stands in is gone', async () => {
    const statuses = { 'computer exec -- true': 125, claude: 125, status: 1, 'computer create -P local': 1 }
    for (const [line, status] of Object.entries(statuses)) {
      const ran = await shell(`mkdir -p gone; cd gone; rmdir ../gone; "$0" "$1" ${line}`, scratch)
      expect(ran, line).to.deep.equal({ status, stdout: '', stderr: 'amux: the directory you stand in no longer exists\n  Go to one that does: cd\n' })
    }
  })

  it('says nothing when the reader of stdout has left', async () => {
    const { status, stderr } = await shell(`"$0" "$1" --help | head -1; exit "\${PIPESTATUS[0]}"`, scratch)
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
  })
})
