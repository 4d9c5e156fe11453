import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { bin, type Scratch } from '../support/amux.ts'
import { disposeAll, endSessions, killGuests, localScratch, sessions } from '../support/computers.ts'
import { TestTerminal, type TerminalOptions } from '../support/terminal.ts'

/** Draws all over the screen, draws anew when it finds the size changed, ends at "q". */
const DRAWING = String.raw`
draw() { set -- $1; printf '\033[2J\033[H'; printf '\033[1;1Hrows %s cols %s' $1 $2; printf '\033[5;10H\033[1;32mgreen \033[44mon blue\033[0m'; printf '\033[%s;1Hbottom' $1; }
printf '\033[?1049h\033[?25l\033[?1006h'
while :; do size=$(stty size); [ "$size" = "$last" ] || { last=$size; draw "$size"; }; read -rsn1 -t 0.1 key; [ "$key" = q ] && break; done
printf '\033[?1006l\033[?25h\033[?1049l'; echo drawn; exit 3`

describe('a program on a computer, in a terminal', () => {
  let amux: Scratch
  const open: TestTerminal[] = []
  before(async () => {
    amux = await localScratch()
  })
  after(() => disposeAll(amux))
  afterEach(async () => {
    for (const terminal of open.splice(0)) terminal.dispose()
    await endSessions(amux)
  })

  const list = () => sessions(amux)
  const quoted = (words: readonly string[]) => words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  /** With the client's pid in a file. */
  const line = (...args: string[]) => `sh -c 'echo $$ > client.pid; exec "$@"' sh ${quoted([process.execPath, bin, 'computer', ...args])}`
  const terminal = (args: readonly string[], options: TerminalOptions = {}): TestTerminal => {
    const one = new TestTerminal(line(...args), { cwd: amux.project, ...options, env: { ...amux.env(), ...options.env } })
    open.push(one)
    return one
  }
  /** Never 0, which would be all of us. */
  const client = (): number => {
    const pid = Number(readFileSync(join(amux.project, 'client.pid'), 'utf8'))
    expect(pid).to.be.greaterThan(1)
    return pid
  }
  const drawing = (options?: TerminalOptions) => terminal(['exec', '--name', 'drawing', '--', 'bash', '-c', DRAWING], options)

  async function restored(screen: TestTerminal): Promise<number> {
    const status = await screen.ended()
    const { before, after } = screen.settings()
    expect(after, 'terminal settings').to.equal(before)
    return status
  }

  it('has a shell with everything that goes with it', async () => {
    const screen = terminal(['shell', '-w', '/tmp'], { env: { TERM: 'no-such-terminal' } })
    screen.type('bash --norc\r')
    await screen.shows('bash')
    screen.type("PS1='you> '\r")
    await screen.shows('you> ')
    screen.type('echo $TERM $((6*7)) $PWD\r')
    await screen.shows('xterm-256color 42 /tmp')
    screen.type('sleep 1000\r')
    await screen.shows('sleep 1000')
    screen.type('\u001a')
    await screen.shows('Stopped')
    screen.type('fg\r')
    await screen.shows(/fg\nsleep 1000$/m)
    screen.type('\u0003')
    await screen.shows(/\^C\nyou>/)
    screen.type('exec true\r')
    await screen.shows(/exec true\n.*[#$]/)
    screen.type('exit 7\r')
    expect(await restored(screen)).to.equal(7)
  })

  it('draws, follows the size, and leaves the terminal as it was', async () => {
    const screen = drawing({ cols: 90, rows: 25 })
    await screen.shows('rows 25 cols 90')
    for (let cols = 60; cols <= 120; cols += 1) screen.resize(cols, 20 + (cols % 7))
    screen.resize(101, 31)
    await screen.shows('rows 31 cols 101')
    expect((await screen.lines())[30]).to.equal('bottom')
    screen.type('q')
    await screen.shows('[status 3]')
    expect(await screen.text()).to.equal('drawn\n[status 3]')
    expect(await restored(screen)).to.equal(3)
  })

  it('is there again after its client was killed, the same', async () => {
    const first = drawing()
    await first.shows('rows 24 cols 80')
    await first.shows('on blue')
    const before = await first.lines()
    process.kill(client(), 'SIGKILL')
    await first.ended()
    const again = terminal(['attach', 'drawing'])
    await again.shows('bottom')
    expect(await again.lines()).to.deep.equal(before)
    const cell = again.screen.buffer.active.getLine(4)?.getCell(9)
    expect([cell?.isBold(), cell?.getFgColor()]).to.deep.equal([cell?.isBold(), 2])
    again.type('q')
    await again.shows('[status 3]')
    expect(await restored(again)).to.equal(3)
  })

  it('takes the size of whoever attaches', async () => {
    const first = drawing()
    await first.shows('rows 24 cols 80')
    first.type('\u001c')
    await first.shows('[status 0]')
    expect((await first.lines()).join('')).to.match(/^amux: detached; back in with: amux computer attach -c [\w-]+ [\w-]+\[status 0\]$/)
    expect(await restored(first)).to.equal(0)
    const wide = terminal(['session', 'attach', 'drawing'], { cols: 120, rows: 40 })
    await wide.shows('rows 40 cols 120')
    wide.type('\u001c')
    expect(await restored(wide)).to.equal(0)
  })

  it('is left by the keys one chose', async () => {
    const screen = terminal(['exec', '--detach-keys', 'ctrl-p,ctrl-q', '--', 'bash', '-c', 'stty -echo raw; echo ready; exec cat -v'])
    await screen.shows('ready')
    screen.type('\u001c')
    await screen.shows('^\\')
    screen.type('\u0010x')
    await screen.shows('^\\^Px')
    screen.type('\u0010\u0011')
    await screen.shows('[status 0]')
    expect(await restored(screen)).to.equal(0)
  })

  it('is taken over by the next client; the first one says so and leaves', async () => {
    const first = drawing()
    await first.shows('bottom')
    const second = terminal(['attach', 'drawing'])
    await second.shows('bottom')
    await first.shows('another client took over')
    expect(await restored(first)).to.equal(0)
    second.type('q')
    expect(await restored(second)).to.equal(3)
  })

  it('can be watched without being touched', async () => {
    const owner = drawing()
    await owner.shows('bottom')
    const watcher = terminal(['attach', 'drawing', '--read-only'], { cols: 100, rows: 30 })
    await watcher.shows('rows 24 cols 80')
    watcher.type('q')
    await new Promise((resolve) => setTimeout(resolve, 300))
    watcher.type('\u0003')
    await watcher.shows('[status 0]')
    expect(await restored(watcher)).to.equal(0)
    owner.type('q')
    expect(await restored(owner)).to.equal(3)
  })

  for (const [signal, status] of [['SIGTERM', 143], ['SIGHUP', 129], ['SIGQUIT', 131]] as const) {
    it(`goes on when its client gets ${signal}, which gives the terminal back`, async () => {
      const screen = drawing()
      await screen.shows('bottom')
      process.kill(client(), signal)
      await screen.shows(`[status ${status}]`)
      expect(await screen.text()).to.contain('the program goes on; back in with: amux computer attach')
      expect(await restored(screen)).to.equal(status)
      expect((await list())[0]?.state.status).to.equal('running')
    })
  }

  it('survives a guest that was killed', async () => {
    const screen = drawing()
    await screen.shows('bottom')
    killGuests(amux)
    screen.type('q')
    expect(await restored(screen)).to.equal(3)
    expect(screen.raw).to.contain('amux: the connection is lost, trying again')
  })

})
