import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Scratch, bin } from '../support/amux.ts'
import { disposeAll } from '../support/computers.ts'
import { shell } from '../support/shell.ts'

describe('amux computer exec', () => {
  let amux: Scratch
  before(async () => {
    amux = await Scratch.make()
    const { status, stderr } = await amux.run(['computer', 'create', '-P', 'local'])
    expect(status, stderr).to.equal(0)
  })
  after(() => disposeAll(amux))

  const exec = (args: readonly string[], input?: string) => amux.run(['computer', 'exec', ...args], input === undefined ? {} : { input })
  const sh = (line: string) => exec(['--', 'sh', '-c', line])

  it('passes every argument on as it is', async () => {
    const args = ['a b', '', '"q"', "it's", '$HOME `x` \\', 'line\nbreak', '--', '-c', '--json', 'ünï', '*']
    const { stdout, status } = await exec(['--', 'printf', '[%s]', ...args])
    expect(stdout).to.equal(args.map((arg) => `[${arg}]`).join(''))
    expect(status).to.equal(0)
  })

  it('takes an argument of 100 KB', async () => {
    const { stdout } = await exec(['--', 'sh', '-c', 'printf %s "$1" | wc -c', 'sh', 'x'.repeat(100 * 1024)])
    expect(stdout.trim()).to.equal(String(100 * 1024))
  })

  it('hands the exit status through', async () => {
    for (const code of [0, 1, 42, 124, 125, 126, 127, 130, 255]) expect((await sh(`exit ${code}`)).status, `exit ${code}`).to.equal(code)
    for (const [signal, status] of [['HUP', 129], ['INT', 130], ['KILL', 137], ['SEGV', 139], ['TERM', 143]] as const) {
      expect((await sh(`kill -${signal} $$`)).status, signal).to.equal(status)
    }
  })

  it('tells what cannot be run from what ran', async () => {
    const missing = await exec(['--', 'no-such-program'])
    expect(missing.status).to.equal(127)
    expect(missing.stderr).to.match(/^amux: .*no-such-program/)
    const file = await exec(['--', '/etc/passwd'])
    expect(file.status).to.equal(126)
    expect(file.stderr).to.match(/^amux: .*\/etc\/passwd/)
    const place = await exec(['-w', '/no/such/place', '--', 'true'])
    expect(place.status).to.equal(125)
    expect(place.stderr).to.match(/^amux: .*\/no\/such\/place/)
    const user = await exec(['-u', 'nobody-at-all', '--', 'true'])
    expect(user.status).to.equal(125)
    expect(user.stderr).to.match(/^amux: .*nobody-at-all/)
    const nothing = await exec([])
    expect(nothing.status).to.equal(125)
    expect(nothing.stderr).to.contain('which program?')
  })

  it('hints at --shell where a line was meant', async () => {
    const { status, stderr } = await exec(['--', "echo 'a b' | wc -c"])
    expect(status).to.equal(127)
    expect(stderr).to.contain("amux computer exec --shell -- 'echo '\\''a b'\\'' | wc -c'")
    expect((await exec(['--shell', '--', "echo 'a b' | wc -c"])).stdout.trim()).to.equal('4')
    expect((await exec(['--shell', '--', 'echo', 'b'])).status).to.equal(125)
  })

  it('reads a program without -- up to its end', async () => {
    expect((await exec(['-e', 'A=1', 'sh', '-c', 'echo $A $#', 'sh', '--json', '-q', '--', '--help'])).stderr).to.contain('before the --')
    expect((await exec(['-e', 'A=1', 'sh', '-c', 'echo $A $#', 'sh', '--json', '-q'])).stdout).to.equal('1 2\n')
    expect((await exec(['sh', '-c', 'echo "$@"', 'sh', '--help', '-h'])).stdout).to.equal('--help -h\n')
  })

  it('sets what it is told: environment, directory, user', async () => {
    // A computer of an ordinary user has no other one.
    const other = userInfo().uid === 0 ? 'nobody' : userInfo().username
    writeFileSync(join(amux.project, 'some.env'), 'FROM_FILE=1\n# no\nBOTH=file\n')
    const { stdout } = await exec(['-e', 'GIVEN=a b', '-e', 'BOTH=flag', '--env-file', 'some.env', '-w', '/usr', '-u', other, '--', 'sh', '-c', 'echo "$GIVEN|$FROM_FILE|$BOTH|$PWD|$(id -un)|${AMUX_HOME-unset}"'])
    expect(stdout).to.equal(`a b|1|flag|/usr|${other}|unset\n`)
    expect((await amux.run(['computer', 'exec', '--', 'pwd'])).stdout.trim()).to.equal(amux.project)
  })

  it('keeps bytes as they are, both ways, and streams apart', async () => {
    const bytes = randomBytes(3_000_000)
    writeFileSync(join(amux.project, 'in'), bytes)
    const { status, stderr } = await shell(amux, "amux computer exec -- sh -c 'cat; echo oops >&2; exit 9' < in > out")
    expect({ status, stderr }).to.deep.equal({ status: 9, stderr: 'oops\n' })
    expect(readFileSync(join(amux.project, 'out')).equals(bytes)).to.equal(true)
  })

  it('ends with the program, whatever its input does', async () => {
    expect((await shell(amux, 'yes | amux computer exec -- head -c 4')).stdout.toString()).to.equal('y\ny\n')
    expect((await shell(amux, 'mkfifo held; sleep 1000 > held & amux computer exec -- echo done < held; kill $!')).stdout.toString()).to.equal('done\n')
    expect((await shell(amux, 'amux computer exec -- wc -c < /dev/null')).stdout.toString().trim()).to.equal('0')
    expect((await shell(amux, 'echo kept | amux computer exec --no-stdin -- wc -c')).stdout.toString().trim()).to.equal('0')
  })

  it('ends quietly with its reader, and so does the program', async () => {
    const { stdout, stderr } = await shell(amux, `amux computer exec -- sh -c 'echo $$; exec yes' | head -1; echo \${PIPESTATUS[0]}`)
    const [pid, status] = stdout.toString().trim().split('\n')
    expect({ status, stderr }).to.deep.equal({ status: '141', stderr: '' })
    expect((await exec(['--', 'kill', '-0', String(pid)])).status).to.equal(1)
  })

  it('writes all of it before it ends', async () => {
    const { stdout } = await shell(amux, "amux computer exec -- head -c 50000000 /dev/zero | (sleep 0.5; wc -c)")
    expect(stdout.toString().trim()).to.equal('50000000')
  })

  it('ends a program at its time limit', async () => {
    const { status, stderr } = await exec(['--timeout', '300ms', '--', 'sh', '-c', 'echo $$ > limit.pid; exec sleep 1000'])
    expect(status).to.equal(124)
    expect(stderr).to.contain('amux: not done within 300ms')
    expect((await exec(['--', 'kill', '-0', readFileSync(join(amux.project, 'limit.pid'), 'utf8').trim()])).status).to.equal(1)
  })

  it('puts failures of its own on stderr as JSON, if asked', async () => {
    const { status, stdout, stderr } = await exec(['--json', '--', 'no-such-program'])
    expect({ status, stdout }).to.deep.equal({ status: 127, stdout: '' })
    expect(JSON.parse(stderr)).to.have.nested.property('error.code', 'program_not_found')
  })

  it('leaves no session behind when it ended in peace', async () => {
    await amux.run(['computer', 'session', 'rm', '--ended'])
    for (let i = 0; i < 5; i++) await shell(amux, 'yes | amux computer exec -- head -c 4; amux computer exec -- head -c 3000000 /dev/zero')
    expect((await amux.json<unknown[]>(['computer', 'session', 'ls'])).document).to.deep.equal([])
  })

  it('gives Ctrl-C to the program first; the second one leaves it running', async () => {
    const child = spawn(process.execPath, [bin, 'computer', 'exec', '--', 'bash', '-c', 'trap "echo caught" INT; echo ready; while :; do sleep 0.05; done'], {
      cwd: amux.project,
      env: amux.env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    let complained = ''
    child.stderr.on('data', (data: Buffer) => (complained += data.toString()))
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString()
      child.kill('SIGINT')
    })
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect({ status, said }).to.deep.include({ status: 130 })
    expect(said).to.match(/^ready\ncaught\n/)
    const id = /amux computer attach -c [\w-]+ ([a-z0-9-]+)\n$/.exec(complained)?.[1]
    expect(id, complained).to.be.a('string')
    expect((await amux.run(['computer', 'session', 'kill', String(id)])).status).to.equal(0)
  })
})
