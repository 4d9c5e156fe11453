import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { bin, type Scratch } from '../support/amux.ts'
import { disposeAll, endSessions, killGuests, localScratch, sessions } from '../support/computers.ts'
import { TestTerminal } from '../support/terminal.ts'
import { until } from '../guest/lab.ts'
import { alone, visited, visitOf } from '../support/visits.ts'

const RAW = 'stty raw -echo; echo up; exec cat'
const CTRL_P = '\u0010'
const CTRL_Q = '\u0011'

describe('a program in a terminal on this machine, met past client and guest', () => {
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
  const terminal = (...args: readonly string[]): TestTerminal => {
    const one = new TestTerminal(`sh -c 'echo $$ > client.pid; exec "$@"' sh ${quoted([process.execPath, bin, 'computer', ...args])}`, { cwd: amux.project, env: amux.env() })
    open.push(one)
    return one
  }
  const clientOf = (): number => Number(readFileSync(join(amux.project, 'client.pid'), 'utf8'))

  async function typed(screen: TestTerminal, keys: string): Promise<void> {
    const before = screen.raw.length
    for (const key of keys) screen.type(key)
    for (let n = 0; n < 400 && screen.raw.length - before < keys.length; n++) await sleep(25)
    expect(screen.raw.slice(before)).to.equal(keys)
  }

  it('gets each key once and in order, while the way changes too', async () => {
    for (let round = 0; round < 5; round++) {
      const screen = terminal('exec', '-it', '--', 'sh', '-c', RAW)
      await screen.shows('up')
      for (let n = 0; n < 40; n++) await typed(screen, String.fromCharCode(48 + n))
      await visited(clientOf())
      await typed(screen, 'and many at once, of which none is late')
      screen.dispose()
    }
  }).timeout(120_000)

  it('shows all that a program writes, and its status', async () => {
    const screen = terminal('exec', '-it', '--', 'sh', '-c', 'stty -onlcr; sleep 0.15; seq 1 100000; echo end; exit 9')
    expect(await screen.ended()).to.equal(9)
    const lines = screen.raw.replaceAll('\r', '').split('\n')
    expect(lines.slice(0, 100_001)).to.deep.equal([...Array.from({ length: 100_000 }, (_, n) => String(n + 1)), 'end'])
  }).timeout(60_000)

  it('is left by detach keys that are looked at by the client, and gets what only looked like them', async () => {
    const screen = terminal('exec', '-it', '--detach-keys', 'ctrl-p,ctrl-q', '--', 'sh', '-c', RAW)
    await screen.shows('up')
    const visit = await visited(clientOf())
    await typed(screen, 'ab')
    // Held back until it is decided.
    screen.type(CTRL_P)
    await sleep(100)
    expect(screen.raw.endsWith('ab')).to.equal(true)
    screen.type('c')
    await screen.shows(/ab.*c/s)
    expect(screen.raw.endsWith(`ab${CTRL_P}c`)).to.equal(true)
    await typed(screen, '\u001b[A')
    screen.type(`d${CTRL_P}`)
    await sleep(50)
    screen.type(CTRL_Q)
    expect(await screen.ended()).to.equal(0)
    expect(screen.raw).to.contain('d').and.contain('amux: detached; back in with')
    await alone(visit)
    expect((await list())[0]?.state.status).to.equal('running')
  })

  it('goes on where the program in between is killed: what was shown is shown again', async () => {
    const screen = terminal('exec', '-it', '--', 'sh', '-c', 'stty -echo; while read line; do echo "<$line>"; done')
    await sleep(300)
    screen.type('one\r')
    await screen.shows('<one>')
    process.kill(await visited(clientOf()), 'SIGKILL')
    screen.type('two\r')
    await screen.shows('<two>')
    expect(await screen.text()).to.match(/<one>\n<two>/)
    expect(visitOf(clientOf()), 'another one').to.equal(undefined)
  })

  it('goes on where the guest is killed, and the way is open again', async () => {
    const screen = terminal('exec', '-it', '--', 'sh', '-c', 'stty -echo; while read line; do echo "<$line>"; done')
    await sleep(300)
    screen.type('one\r')
    await screen.shows('<one>')
    const first = await visited(clientOf())
    killGuests(amux)
    screen.type('two\r')
    await screen.shows('<two>')
    await alone(first)
    await screen.shows(/<one>\n(amux: .*\n)*<two>/)
    for (let n = 0; n < 50 && visitOf(clientOf()) === undefined; n++) {
      screen.type('x\r')
      await sleep(100)
    }
    await visited(clientOf())
  }).timeout(60_000)

  it('is taken over: the one leaves, the other is met the same way', async () => {
    const first = terminal('exec', '-it', '--name', 'shared', '--', 'sh', '-c', 'stty -echo; while read line; do echo "<$line>"; done')
    await sleep(300)
    first.type('one\r')
    await first.shows('<one>')
    const visit = await visited(clientOf())
    const second = terminal('attach', 'shared')
    await second.shows('<one>')
    expect(await first.ended()).to.equal(0)
    expect(await first.text()).to.contain('another client took over')
    await alone(visit)
    second.type('two\r')
    await second.shows('<two>')
    await visited(clientOf())
    second.type('three\r')
    await second.shows('<three>')
  })

  it('lets others look on', async () => {
    const first = terminal('exec', '-it', '--name', 'seen', '--', 'sh', '-c', 'stty -echo; while read line; do echo "<$line>"; done')
    await sleep(300)
    first.type('one\r')
    await first.shows('<one>')
    await visited(clientOf())
    const second = terminal('attach', 'seen', '--read-only')
    await second.shows('<one>')
    first.type('two\r')
    await second.shows('<two>')
    const { stdout } = await amux.run(['computer', 'session', 'logs', 'seen'])
    expect(stdout).to.contain('<one>').and.contain('<two>')
  })

  it('leaves nothing behind where its client is killed, and loses nothing', async () => {
    const screen = terminal('exec', '-it', '--name', 'left', '--', 'sh', '-c', 'stty -echo; while read line; do echo "<$line>"; done')
    await sleep(300)
    screen.type('one\r')
    await screen.shows('<one>')
    const visit = await visited(clientOf())
    process.kill(clientOf(), 'SIGKILL')
    await alone(visit)
    const again = terminal('attach', 'left')
    await again.shows('<one>')
    again.type('two\r')
    await again.shows('<two>')
  })

  it('goes on while its client is stopped from outside, and is shown what was missed', async () => {
    const screen = terminal('exec', '-it', '--name', 'stopped', '--', 'sh', '-c', 'stty -echo; read line; sleep 0.5; seq 1 30000; while read line; do echo "<$line>"; done')
    await sleep(300)
    const visit = await visited(clientOf())
    screen.type('go\r')
    await sleep(100)
    process.kill(clientOf(), 'SIGTSTP')
    await alone(visit)
    await until(async () => (await amux.run(['computer', 'session', 'logs', 'stopped'])).stdout.includes('30000'))
    expect(screen.raw).to.not.contain('30000')
    process.kill(clientOf(), 'SIGCONT')
    await screen.shows('30000')
    expect(screen.raw.replaceAll('\r', '')).to.contain(Array.from({ length: 30_000 }, (_, n) => n + 1).join('\n'))
    screen.type('two\r')
    await screen.shows('<two>')
    expect(screen.raw).to.not.contain('amux:')
  }).timeout(60_000)

  it('is left by the detach keys also where the program reads nothing, and finds what was typed', async () => {
    const screen = terminal('exec', '-it', '--name', 'deaf', '--', 'sh', '-c', 'stty raw -echo; echo up; sleep 3; head -c 20000 | md5sum; exec sleep 100')
    await screen.shows('up')
    await visited(clientOf())
    const keys = 'k'.repeat(20_000)
    for (let at = 0; at < keys.length; at += 1000, await sleep(10)) screen.type(keys.slice(at, at + 1000))
    screen.type('\u001c')
    expect(await screen.ended()).to.equal(0)
    const wanted = createHash('md5').update(keys).digest('hex')
    await until(async () => (await amux.run(['computer', 'session', 'logs', 'deaf'])).stdout.includes(wanted))
  }).timeout(60_000)

  it('loses no key that its client looks at while the guest is killed, and is lost once', async () => {
    for (let round = 0; round < 3; round++) {
      const screen = terminal('exec', '-it', '--name', `looked${round}`, '--', 'sh', '-c', 'stty raw -echo; echo up; exec cat -v')
      await screen.shows('up')
      await visited(clientOf())
      let keys = ''
      for (let n = 0; n < 300; n++, await sleep(4)) {
        const key = `${n % 2 === 0 ? '\u001b' : ''}${String.fromCharCode(97 + (n % 26))}`
        keys += key
        screen.type(key)
        if (n === 80) killGuests(amux)
      }
      const shown = keys.replaceAll('\u001b', '^[')
      await until(async () => (await amux.run(['computer', 'session', 'logs', `looked${round}`])).stdout.includes(shown))
      await sleep(1500)
      expect(screen.raw.match(/amux: the connection is lost/g)).to.have.length(1)
      screen.dispose()
    }
  }).timeout(120_000)

  it('shows what a program says at its end, also right after the program in between was killed', async () => {
    const screen = terminal('exec', '-it', '--', 'sh', '-c', 'stty -echo; read line; echo "important result"; exit 3')
    await sleep(300)
    process.kill(await visited(clientOf()), 'SIGKILL')
    screen.type('go\r')
    expect(await screen.ended()).to.equal(3)
    expect(screen.raw).to.contain('important result')
  })

  it('ends with its terminal; the program lives', async () => {
    const screen = terminal('exec', '-it', '--', 'sh', '-c', RAW)
    await screen.shows('up')
    const visit = await visited(clientOf())
    screen.dispose()
    await alone(visit)
    expect((await list())[0]?.state.status).to.equal('running')
  })
})
