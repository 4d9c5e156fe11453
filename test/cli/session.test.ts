import { spawn } from 'node:child_process'
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import type { SessionInfo } from '../../src/contract/index.ts'
import { type ErrorDocument, Scratch, bin } from '../support/amux.ts'
import { disposeAll, killGuests } from '../support/computers.ts'
import { shell } from '../support/shell.ts'

describe('amux computer session', () => {
  let amux: Scratch
  before(async () => {
    amux = await Scratch.make()
    const { status, stderr } = await amux.run(['computer', 'create', '-P', 'local'])
    expect(status, stderr).to.equal(0)
  })
  after(() => disposeAll(amux))
  afterEach(async () => {
    for (const { id, state } of await list()) if (state.status === 'running') await session('kill', id, '-s', 'KILL')
    await session('rm', '--ended')
  })

  const session = (...args: string[]) => amux.run(['computer', 'session', ...args])
  const list = async () => (await amux.json<readonly SessionInfo[]>(['computer', 'session', 'ls'])).document
  const start = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await amux.run(['computer', 'exec', '-d', ...args])
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }
  const failure = async (...args: string[]) => {
    const { status, document } = await amux.json<ErrorDocument>(['computer', 'session', ...args])
    return { status, ...document.error }
  }

  it('says what is no longer kept', async () => {
    const id = await start('--', 'head', '-c', '30000000', '/dev/zero')
    await session('wait', id)
    const { stdout: all } = await session('logs', id)
    const kept = all.length
    for (const [args, from] of [[[], 0], [['--stream', 'stdout', '--from', '5'], 5], [['--json'], 0]] as const) {
      const { status, stderr } = await session('logs', id, ...args)
      const [, missing] = /^amux: (\d+) bytes of stdout are no longer kept\n$/.exec(stderr) ?? []
      expect([status, Number(missing)], stderr).to.deep.equal([0, 30_000_000 - kept - from])
    }
    expect((await session('logs', id, '--tail', '1')).stderr).to.equal('')
  })

  it('starts in the background, prints the id, keeps output and status', async () => {
    const id = await start('--name', 'build', '--', 'sh', '-c', 'echo working; echo badly >&2; exit 3')
    expect(id).to.match(/^[a-z0-9-]{1,32}$/)
    expect((await session('wait', id)).status).to.equal(3)
    expect(await session('logs', id)).to.deep.equal({ status: 0, stdout: 'working\n', stderr: 'badly\n' })
    const [info] = await list()
    expect(info).to.deep.include({ id, name: 'build', tty: false })
    expect(info?.state).to.deep.include({ status: 'exited', code: 3 })
    expect((await session('ls')).stdout).to.match(/^ID +NAME +STATE .*\n.*build +exited 3 /)
  })

  it('lists only ids with -q, for another command', async () => {
    const ids = [await start('--', 'sleep', '1000'), await start('--', 'sleep', '1000')]
    const { stdout } = await session('ls', '-q')
    expect(stdout.trim().split('\n')).to.have.members(ids)
    expect((await session('kill', ...stdout.trim().split('\n'))).status).to.equal(0)
    expect((await session('rm', '--all')).stdout.trim().split('\n')).to.have.members(ids)
    expect((await amux.run(['computer', 'ls', '-q'])).stdout).to.match(/^amux-project-[a-z0-9]+\n$/)
  })

  it('knows sessions by name while they live', async () => {
    const id = await start('--name', 'live', '--', 'sleep', '1000')
    expect((await failure('rm', 'live')).code).to.equal('conflict')
    const taken = await amux.run(['computer', 'exec', '-d', '--name', 'live', '--', 'true'])
    expect(taken.status).to.equal(125)
    const { status, stdout } = await session('kill', 'live')
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: `${id}: killed SIGTERM\n` })
    expect((await session('wait', id)).status).to.equal(143)
    expect((await session('rm', id)).stdout).to.equal(`${id}\n`)
    expect(await failure('logs', id)).to.deep.include({ status: 3, code: 'not_found' })
  })

  it('kills what does not want to end, and everything it started', async () => {
    const id = await start('--', 'sh', '-c', 'trap "" TERM; (setsid sleep 4242 &); while :; do sleep 0.1; done')
    expect((await session('kill', id, '--grace', '300ms')).stdout).to.equal(`${id}: killed SIGKILL\n`)
    expect((await amux.run(['computer', 'exec', '--', 'sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "'])).stdout).to.not.contain('sleep 4242')
  })

  it('sends one signal, by any of its names', async () => {
    const id = await start('--', 'sh', '-c', 'trap "echo got it" USR1; echo ready; while :; do sleep 0.05; done')
    await follow(id, 'ready')
    for (const name of ['USR1', 'sigusr1', '10']) {
      const { status, stdout } = await session('kill', id, '-s', name)
      expect({ status, stdout }).to.deep.equal({ status: 0, stdout: `${id}: running\n` })
    }
    await follow(id, 'got it')
    expect(await failure('kill', id, '-s', 'NOPE')).to.deep.include({ status: 2, code: 'invalid_argument' })
  })

  /** Follows the log until it says that. */
  function follow(id: string, wanted: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [bin, 'computer', 'session', 'logs', '-f', id], { cwd: amux.project, env: amux.env() })
      let said = ''
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString()
        if (said.includes(wanted)) child.kill('SIGKILL')
      })
      child.on('close', () => (said.includes(wanted) ? resolve(said) : reject(new Error(`it said only: ${said}`))))
    })
  }

  it('types into it, from the command line and from a pipe', async () => {
    const id = await start('--', 'sh', '-c', 'while read -r line; do echo "<$line>"; done; echo over')
    await session('send', id, 'two words', '--enter')
    expect((await shell(amux, `printf 'one\\ntwo\\n' | amux computer session send ${id} --eof`)).status).to.equal(0)
    expect((await session('wait', id)).status).to.equal(0)
    expect((await session('logs', id)).stdout).to.equal('<two words>\n<one>\n<two>\nover\n')
  })

  it('reads logs by line, by stream and by byte', async () => {
    const id = await start('--', 'sh', '-c', 'for i in 1 2 3 4 5; do echo out $i; done; echo err >&2')
    await session('wait', id)
    expect((await session('logs', id, '--tail', '2', '--stream', 'stdout')).stdout).to.equal('out 4\nout 5\n')
    expect(await session('logs', id, '--stream', 'stderr')).to.include({ stdout: '', stderr: 'err\n' })
    expect((await session('logs', id, '--stream', 'stdout', '--from', '24')).stdout).to.equal('out 5\n')
    expect(await failure('logs', id, '--from', '3')).to.deep.include({ status: 2, code: 'invalid_argument' })
    const lines = (await session('logs', id, '--json')).stdout.trim().split('\n').map((line): unknown => JSON.parse(line))
    expect(lines).to.deep.include({ stream: 'stderr', offset: 0, length: 4, text: 'err\n' })
    expect((await shell(amux, `amux computer session logs ${id} | head -1`)).stdout.toString()).to.equal('out 1\n')
  })

  it('keeps what is no text as it is', async () => {
    const id = await start('--', 'printf', '\\377\\000\\200')
    await session('wait', id)
    expect((await shell(amux, `amux computer session logs ${id} | od -An -tx1`)).stdout.toString().trim()).to.equal('ff 00 80')
    expect(JSON.parse((await session('logs', id, '--json')).stdout)).to.deep.equal({ stream: 'stdout', offset: 0, length: 3, base64: '/wCA' })
  })

  it('goes on when its client is killed; nothing is lost and nothing comes twice', async () => {
    const child = spawn(process.execPath, [bin, 'computer', 'exec', '--name', 'orphan', '--', 'sh', '-c', 'for i in $(seq 1 400); do echo line $i; sleep 0.005; done'], { cwd: amux.project, env: amux.env() })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGKILL')
    await session('wait', 'orphan')
    const [{ id } = { id: '' }] = await list()
    const rest = (await session('attach', id)).stdout.split('\n').slice(0, -1)
    const first = Number(rest[0]?.split(' ')[1])
    expect(first).to.be.lessThan(400)
    expect(rest).to.deep.equal(Array.from({ length: 401 - first }, (_, index) => `line ${first + index}`))
  })

  it('goes on when the guest is killed, and its client with it', async () => {
    const running = amux.run(['computer', 'exec', '--', 'sh', '-c', 'for i in $(seq 1 400); do echo line $i; sleep 0.005; done; exit 4'])
    await new Promise((resolve) => setTimeout(resolve, 700))
    killGuests(amux)
    const { status, stdout, stderr } = await running
    expect(stdout).to.equal(Array.from({ length: 400 }, (_, index) => `line ${index + 1}\n`).join(''))
    expect({ status, stderr }).to.deep.equal({ status: 4, stderr: 'amux: the connection is lost, trying again\namux: connected again\n' })
  })

  it('attaches to what ran in the background, with its status', async () => {
    const id = await start('--', 'sh', '-c', 'read -r x; echo "$x"; exit 6')
    const { status, stdout } = await amux.run(['computer', 'attach', '-i', id], { input: 'hello\n' })
    expect({ status, stdout }).to.deep.equal({ status: 6, stdout: 'hello\n' })
  })

  it('does not end what it attaches to for want of input', async () => {
    const id = await start('--', 'sh', '-c', 'read -r x; echo "got $x"')
    const attached = amux.run(['computer', 'attach', id])
    await new Promise((resolve) => setTimeout(resolve, 300))
    await session('send', id, 'something', '--enter')
    expect(await attached).to.deep.include({ status: 0, stdout: 'got something\n' })
  })

  it('tells the end of those that left no status of their own', async () => {
    const id = await start('--', 'sleep', '1000')
    expect((await amux.run(['computer', 'restart', '--yes'])).status).to.equal(0)
    const { status, stderr } = await session('wait', id)
    expect(status).to.equal(125)
    expect(stderr).to.match(/^amux: .*ended/)
    expect((await list()).find((one) => one.id === id)?.state).to.deep.include({ status: 'ended', reason: 'stopped' })
  })

  it('says which sessions there are none of', async () => {
    expect((await session('ls')).stderr).to.contain('has no sessions')
    expect(await failure('kill', 'nothing')).to.deep.include({ status: 3, code: 'not_found' })
    expect(await failure('rm')).to.deep.include({ status: 2 })
    expect((await session('rm', '--ended')).stdout).to.equal('nothing to remove\n')
    expect((await session('wait', 'nothing')).status).to.equal(125)
  })
})
