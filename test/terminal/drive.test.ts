import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, afterEach, describe, it } from 'mocha'
import { TestTerminal, type TerminalOptions } from '../support/terminal.ts'

const fixture = join(import.meta.dirname, 'fixture/drive.ts')
const command = `${process.execPath} ${fixture}`

describe('driving a program in a terminal', () => {
  const open: TestTerminal[] = []
  const run = (line: string, options?: TerminalOptions): TestTerminal => {
    const terminal = new TestTerminal(line, options)
    open.push(terminal)
    return terminal
  }
  afterEach(() => {
    for (const terminal of open.splice(0)) terminal.dispose()
  })

  /** Never 0, which would be all of us. */
  function pidOf(terminal: TestTerminal): number {
    const pid = Number(readFileSync(join(terminal.directory, 'pid'), 'utf8'))
    expect(pid).to.be.greaterThan(1)
    return pid
  }

  async function restored(terminal: TestTerminal): Promise<number> {
    const status = await terminal.ended()
    const { before, after } = terminal.settings()
    expect(after, 'terminal settings').to.equal(before)
    return status
  }

  it('passes keys, Ctrl-C, Ctrl-Z and the exit status through', async () => {
    const terminal = run(`PS1='me$ ' ${command} tty bash --norc -i`)
    await terminal.shows('me$')
    terminal.type('echo $((6*7))\r')
    await terminal.shows('42')
    terminal.type('sleep 100\r')
    await terminal.shows('sleep 100')
    terminal.type('\u001a')
    await terminal.shows('Stopped')
    terminal.type('fg\r')
    await terminal.shows(/fg\nsleep 100$/m)
    terminal.type('\u0003')
    await terminal.shows(/\^C\nme\$/)
    terminal.type('exit 7\r')
    expect(await restored(terminal)).to.equal(7)
  })

  it('is left by the detach keys, and the terminal is as it was', async () => {
    const drawing = String.raw`printf "\033[?1049h\033[?25l\033[?1000h\033[>1u\033[1;5r\033[31mdrawn"; read x`
    const terminal = run(`echo above; ${command} tty bash -c '${drawing}'`)
    await terminal.shows('drawn')
    expect(await terminal.text()).to.not.include('above')
    terminal.type('\u001c')
    await terminal.shows('[status 0]')
    expect(await terminal.text()).to.match(/above\namux: detached; back in with: amux computer attach s1\n\[status 0\]/)
    expect(terminal.raw).to.include('\u001b[?25h').and.include('\u001b[?1000l').and.include('\u001b[<1u')
    expect(await restored(terminal)).to.equal(0)
  })

  for (const [signal, status] of [['TERM', 143], ['HUP', 129], ['QUIT', 131]] as const) {
    it(`restores the terminal when it gets SIG${signal}`, async () => {
      const terminal = run(`sh -c 'echo $$ > pid; exec ${command} tty bash -c "printf \\"\\\\033[?1049hready\\"; read x"'`)
      await terminal.shows('ready')
      process.kill(pidOf(terminal), `SIG${signal}`)
      await terminal.shows(`[status ${status}]`)
      expect(terminal.raw).to.include('\u001b[?1049l')
      expect(await restored(terminal)).to.equal(status)
    })
  }

  it('lends the terminal to the shell while it is stopped from outside', async () => {
    const terminal = run(`PS1='local$ ' bash --norc -i`)
    await terminal.shows('local$ ')
    const program = String.raw`printf "\033[?1049h\033[?1000hready "; while read -rsn1 k; do printf "<%s>" $k; [ $k = q ] && break; done`
    terminal.type(`sh -c 'echo $$ > pid; exec ${command} tty bash -c "$0"' '${program}'\r`)
    await terminal.shows(/^ready $/m)
    process.kill(pidOf(terminal), 'SIGTSTP')
    await terminal.shows('Stopped')
    expect(terminal.raw).to.include('\u001b[?1000l').and.include('\u001b[?1049l')
    terminal.type('clear; stty -a | grep -o " icanon"\r')
    await terminal.shows(/^ icanon/m)
    terminal.type('clear; fg\r')
    await new Promise((resolve) => setTimeout(resolve, 300))
    terminal.type('xq')
    await terminal.shows('local$ ')
    expect(terminal.raw).to.include('<x><q>')
    terminal.type('exit\r')
    expect(await restored(terminal)).to.equal(0)
  })

  it('runs in the background, ends there, and comes forward', async () => {
    const terminal = run(`PS1='me$ ' bash --norc -i`)
    await terminal.shows('me$')
    // A command that is shown in two lines is not found, however long the way to it is.
    terminal.resize(300, 24)
    terminal.type(`${command} tty sh -c 'echo begun; exec sleep 1000' &\r`)
    await terminal.shows(/\d\n(me\$ )?begun/)
    terminal.type('echo $((6*7))\r')
    await terminal.shows('42')
    terminal.type('kill %1; wait %1; echo "status $?"\r')
    await terminal.shows('status 143')
    terminal.type(`clear; ${command} tty sh -c 'echo again; read x; echo "got $x"' &\r`)
    await terminal.shows(/\d\n(me\$ )?again/)
    terminal.type('fg\r')
    await terminal.shows("tty sh -c 'echo again")
    terminal.type('words\r')
    await terminal.shows('got words')
    terminal.type('exit 6\r')
    expect(await restored(terminal)).to.equal(6)
  })

  it('ends in the background where it was sent to', async () => {
    const terminal = run(`PS1='me$ ' bash --norc -i`)
    await terminal.shows('me$')
    terminal.type(`${command} tty sh -c 'echo $PPID > pid; echo begun; exec sleep 1000'\r`)
    await terminal.shows(/^begun/m)
    process.kill(pidOf(terminal), 'SIGTSTP')
    await terminal.shows('Stopped')
    terminal.type('bg; kill %1; wait %1; echo "status $?"\r')
    await terminal.shows('status 143')
    terminal.type('exit 6\r')
    expect(await restored(terminal)).to.equal(6)
  })

  it('restores the terminal after an error nobody caught', async () => {
    const terminal = run(`${command} fail bash -c 'printf "\\033[?1049h\\033[?25lready"; read x'`)
    await terminal.shows('an error nobody catches')
    expect(terminal.raw).to.include('\u001b[?1049l').and.include('\u001b[?25h')
    expect(await restored(terminal)).to.equal(1)
  })

  it('restores the terminal after the connection broke', async () => {
    const terminal = run(`${command} lost bash -c 'printf "\\033[?1049hready"; read x'`)
    await terminal.shows('amux: the connection broke')
    expect(await restored(terminal)).to.equal(125)
  })

  it('does not touch a screen the program left in order', async () => {
    const terminal = run(`${command} tty bash -c 'printf "\\033[31mred\\033[0m plain"'; echo; echo next`)
    await terminal.shows('[status 0]')
    expect(await terminal.text()).to.include('red plain\nnext')
    expect(await restored(terminal)).to.equal(0)
  })

  it('follows a storm of sizes to the last one', async () => {
    const terminal = run(`${command} tty bash -c 'trap : WINCH; echo ready; while ! read -t 0.1 x; do :; done; stty size; tput cols 2>/dev/null | cat'`)
    await terminal.shows('ready')
    for (let cols = 60; cols <= 120; cols += 1) terminal.resize(cols, 20 + (cols % 10))
    terminal.resize(99, 33)
    await new Promise((resolve) => setTimeout(resolve, 300))
    terminal.type('\r')
    await terminal.shows('33 99')
    expect(await restored(terminal)).to.equal(0)
  })

  it('lets the program live when the terminal is closed', async () => {
    const terminal = run(`${command} tty bash -c 'trap "" HUP; echo ready; read x; echo "$x" > got'`)
    await terminal.shows('ready')
    terminal.pty.kill('SIGHUP')
    expect(await terminal.ended()).to.be.a('number')
  })
})

describe('driving a program between pipes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'amux-drive-'))
  after(() => rmSync(directory, { recursive: true, force: true }))

  function shell(line: string): Promise<{ stdout: string; stderr: string; status: number }> {
    return new Promise((resolve) => {
      execFile('/bin/bash', ['-c', line], { cwd: directory, encoding: 'latin1', maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
        resolve({ stdout, stderr, status: typeof error?.code === 'number' ? error.code : 0 })
      })
    })
  }

  it('keeps streams apart and every byte as it was', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256))
    writeFileSync(join(directory, 'in'), bytes)
    const { stdout, stderr, status } = await shell(`${command} pipe sh -c 'cat; echo oops >&2; exit 3' < in`)
    expect(Buffer.from(stdout, 'latin1').equals(bytes)).to.equal(true)
    expect({ stderr, status }).to.deep.equal({ stderr: 'oops\n', status: 3 })
  })

  it('ends with the program though input goes on for ever', async () => {
    expect(await shell(`yes | ${command} pipe head -c 4`)).to.include({ stdout: 'y\ny\n', status: 0 })
    expect(await shell(`mkfifo held; sleep 1000 > held & ${command} pipe echo done < held; kill $!`)).to.include({ stdout: 'done\n', status: 0 })
  })

  it('gives end of file at once where there is no input', async () => {
    expect(await shell(`${command} pipe wc -c < /dev/null`)).to.include({ stdout: '0\n', status: 0 })
  })

  it('ends quietly when nobody reads any more, and so does the program', async () => {
    const { stdout, stderr, status } = await shell(`${command} pipe yes | head -1; echo \${PIPESTATUS[0]}`)
    expect({ stdout, stderr, status }).to.deep.equal({ stdout: 'y\n141\n', stderr: '', status: 0 })
  })

  it('says when the output cannot be written', async () => {
    const { stderr, status } = await shell(`${command} pipe yes > /dev/full`)
    expect(stderr).to.match(/amux: .*(ENOSPC|no space)/i)
    expect(status).to.equal(125)
  })

  it('gives Ctrl-C to the program first, then leaves it', async () => {
    const child = spawn(process.execPath, [fixture, 'pipe', 'bash', '-c', 'trap "echo caught $$" INT; echo ready; while :; do sleep 0.05; done'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    let complained = ''
    child.stderr.on('data', (data: Buffer) => (complained += data.toString()))
    const status = new Promise((resolve) => child.on('exit', (code) => resolve(code)))
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString()
      child.kill('SIGINT')
    })
    expect(await status).to.equal(130)
    const pid = Number(/^ready\ncaught (\d+)\n/.exec(said)?.[1])
    process.kill(pid, 'SIGKILL')
    expect(complained).to.equal('amux: detached: the program goes on; back in with: amux computer attach s1\n')
  })
})
