import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Frame } from '../../src/protocol/index.ts'
import { alive, Lab, until } from './lab.ts'
import type { Program } from './program.ts'

const tty = { cols: 80, rows: 24 }

describe('guest: programs on a terminal', () => {
  let lab: Lab
  before(async () => (lab = await Lab.open()))
  after(() => lab.close())

  const shell = (script: string, size = tty) => lab.exec({ argv: ['sh', '-c', script], tty: size })

  it('is a terminal of the right size, owner and environment before the program looks', async () => {
    const program = shell('stty size; stat -c "%u %a" $(tty); echo $TERM $COLORTERM; : > $(tty) && : > /dev/tty && echo opens', { cols: 91, rows: 33 })
    await program.over
    const mode = lab.config.user.uid === 0 ? '620' : '6.0'
    expect(program.stdout).to.match(new RegExp(`^33 91\r\n${lab.config.user.uid} ${mode}\r\nxterm-256color truecolor\r\nopens\r\n$`))
  })

  it('replaces a terminal name the computer does not know', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'echo $TERM'], tty, env: { TERM: 'no-such-terminal' } })
    await program.over
    expect(program.stdout).to.equal('xterm-256color\r\n')
  })

  it('passes exit statuses and signals', async () => {
    const [a, b] = [shell('exit 42'), shell('kill -TERM $$')]
    await Promise.all([a.over, b.over])
    expect([a.exit, b.exit]).to.deep.equal([{ code: 42 }, { signal: 'SIGTERM' }])
  })

  it('turns Ctrl-C, Ctrl-Z and Ctrl-D into what they are', async () => {
    const program = lab.exec({ argv: ['bash', '--norc', '-i'], tty, env: { PS1: '$ ' } })
    await program.saw('$ ')
    program.type('sleep 100\n')
    await program.saw('sleep 100\r\n')
    await until(async () => (await children(program)).includes('sleep'))
    program.type('\x1a')
    await program.saw('Stopped')
    program.type('fg\n')
    await program.until(({ stdout }) => stdout.split('sleep 100').length > 3)
    await until(async () => (await children(program)).includes('sleep'))
    program.type('\x03')
    await program.until(({ stdout }) => /\^C/.test(stdout.slice(stdout.indexOf('fg'))))
    program.type('echo $((6*7))\n')
    await program.saw('42\r\n')
    program.eof()
    await program.over
    expect(program.exit).to.deep.equal({ code: 0 })
  })

  it('signals the foreground group', async () => {
    const program = lab.exec({ argv: ['bash', '--norc', '-i'], tty, env: { PS1: '$ ' } })
    await program.saw('$ ')
    program.type('sh -c "trap \'echo got\' USR1; echo up; while :; do sleep 0.02; done"\n')
    await program.saw('up\r\n')
    program.tell(Frame.signal, 'USR1')
    await program.saw('got\r\n')
    program.tell(Frame.signal, 'SIGKILL')
    await program.saw('Killed')
    program.type('exit 3\n')
    await program.over
    expect(program.exit).to.deep.equal({ code: 3 })
  })

  it('tells the program about a new size, the last of a storm', async () => {
    const program = shell('trap "stty size" WINCH; echo up; while :; do sleep 0.02; done')
    await program.saw('up')
    for (let cols = 20; cols <= 120; cols++) program.tell(Frame.resize, JSON.stringify({ cols, rows: 40 }))
    await program.saw('40 120\r\n')
    expect((await lab.info(program.session.id)).size).to.deep.equal({ cols: 120, rows: 40 })
    program.tell(Frame.signal, 'KILL')
    await program.over
  })

  it('delivers late output of a background job, after the exit', async () => {
    const program = shell('trap "" HUP; (sleep 0.5; echo late) & echo early; exit 5')
    await program.over
    expect(program.stdout).to.equal('early\r\nlate\r\n')
    expect(program.exit).to.deep.equal({ code: 5 })
    expect(program.types.indexOf(Frame.exit)).to.be.lessThan(program.types.indexOf(Frame.done))
  })

  it('carries a megabyte of raw input', async () => {
    const program = shell('stty raw -echo; echo up; head -c 1000000 | cksum')
    await program.saw('up')
    for (let at = 0; at < 1_000_000; at += 50_000) program.type(Buffer.alloc(50_000, 97))
    await program.over
    expect(program.stdout).to.match(/\d+ 1000000/)
  })

  it('loses nothing of a thousand short programs', async () => {
    for (let from = 0; from < 1000; from += 20) {
      const programs = Array.from({ length: 20 }, (_, index) => lab.exec({ argv: ['seq', String(from + index), String(from + index + 300)], tty }))
      await Promise.all(programs.map((program) => program.over))
      programs.forEach((program, index) => {
        const lines = program.stdout.split('\r\n')
        expect([lines.length, lines[0], lines[300]]).to.deep.equal([302, String(from + index), String(from + index + 300)])
      })
      await Promise.all(programs.map((program) => lab.call('DELETE', `/v1/sessions/${program.session.id}`)))
    }
  }).timeout(90_000)

  it('loses nothing when the reader pauses across the end', async () => {
    const program = lab.exec({ argv: ['sh', '-c', 'seq 1 200000; echo end'], tty }, { ack: false })
    await program.started()
    program.stream.pause()
    const { pid } = program.session
    await new Promise((resolve) => setTimeout(resolve, 1000))
    program.stream.resume()
    await program.over
    expect(program.stdout.replaceAll('\r', '')).to.equal(`${Array.from({ length: 200_000 }, (_, index) => index + 1).join('\n')}\nend\n`)
    expect(alive(pid)).to.equal(false)
  })

  it('paints the screen for whoever attaches, then goes on from there', async () => {
    const program = shell(String.raw`printf '\033[2J\033[5;10Hhere \033[1mbold\033[0m'; read line; printf '\033[7;1Hread:%s' "$line"; sleep 100`)
    await program.saw('bold')
    const { id } = program.session
    program.tell(Frame.detach)
    program.stream.end()
    const back = await lab.attach({ id, size: tty }).until(({ marks }) => marks.length > 0)
    expect(back.stdout).to.match(/here.*bold/s)
    back.type('typed\n')
    await back.saw('read:typed')
    await lab.call('POST', `/v1/sessions/${id}/kill`, { grace: 0 })
    await back.over
    expect(back.exit).to.deep.equal({ signal: 'SIGKILL' })
  })

  it('resizes to whoever attaches, and shows an ended one all the same', async () => {
    const program = shell('echo first words; sleep 0.2; stty size')
    const { id } = (await program.started()).session
    const other = await lab.attach({ id, size: { cols: 44, rows: 11 } }).started()
    await program.until(({ disowned }) => disowned)
    await other.over
    expect(other.stdout).to.contain('11 44')
    const late = lab.attach({ id, size: tty })
    await late.over
    expect(late.stdout).to.contain('first words')
    expect(late.stdout).to.contain('11 44')
    expect(late.exit).to.deep.equal({ code: 0 })
  })

  it('shows what nobody looked at, whatever its size was', async () => {
    const program = shell('seq 1 40; read x; echo "$x"; exit 3')
    const { id } = (await program.saw('40')).session
    await lab.call('POST', `/v1/sessions/${id}/resize`, { cols: 30, rows: 10 })
    program.type('answer\n')
    await program.over
    const late = lab.attach({ id, size: tty, readOnly: true })
    await late.over
    expect(late.stdout).to.match(/39.*40.*answer/s)
    expect(late.exit).to.deep.equal({ code: 3 })
  })

  it('answers a program that asks its terminal while nobody is there, and only then', async () => {
    const ask = String.raw`stty raw -echo min 0 time 100; printf '\033[6n'; dd bs=64 count=1 2>/dev/null | od -An -c; sleep 100`
    const { id } = (await lab.exec({ argv: ['sh', '-c', ask], tty, detached: true }).started()).session
    const viewer = await lab.attach({ id, readOnly: true }).saw('033')
    expect(viewer.stdout).to.match(/033\s+\[\s+1\s+;\s+1\s+R/)
    const owned = await shell(ask).saw('\x1b[6n')
    owned.type('\x1b[9;9R')
    await owned.saw('033')
    expect(owned.stdout).to.match(/033\s+\[\s+9\s+;\s+9\s+R/)
    expect(owned.stdout).not.to.match(/\[\s+1\s+;\s+1\s+R/)
    for (const session of [id, owned.session.id]) await lab.call('POST', `/v1/sessions/${session}/kill`, { grace: 0 })
  })

  async function children(program: Program): Promise<string[]> {
    const { stdout } = await lab.sh(`ps -o stat=,comm= --ppid ${program.session.pid}`)
    return stdout.split('\n').filter((line) => /^[^TZ]/.test(line.trim())).map((line) => line.trim().split(/\s+/)[1] ?? '')
  }
})
