import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { createHash } from 'node:crypto'
import type { Attachment } from '../../src/contract/index.ts'
import type { Equipped } from '../../src/emulation/index.ts'
import { Lab } from './lab.ts'

describe('a lost connection', () => {
  let lab: Lab
  let computer: Equipped
  const states: string[] = []

  before(async () => {
    lab = await Lab.open()
    computer = lab.equip(await lab.create(), { onConnection: (state) => states.push(state) })
    await computer.sessions.list()
  })
  afterEach(async () => {
    lab.faults.heal()
    // What is asked is asked again over a new connection; what is started is not.
    await computer.sessions.list()
    states.length = 0
  })
  after(() => lab.close())

  it('costs no byte of output and doubles none, however often it breaks', async () => {
    lab.faults.cutAfter = 1_000_000
    // As much as is kept of a program that nobody holds up.
    const live = await computer.sessions.start(['sh', '-c', 'head -c 15000000 /dev/urandom > "$HOME/copy"; cat "$HOME/copy"; exit 7'])
    const hash = createHash('sha256')
    let length = 0
    for await (const chunk of live.stdout) {
      hash.update(chunk)
      length += chunk.length
    }
    expect(await live.exit).to.deep.equal({ code: 7 })
    expect(length).to.equal(15_000_000)
    lab.faults.heal()
    expect(hash.digest('hex')).to.equal(await output(computer, 'sha256sum < "$HOME/copy" | cut -c 1-64'))
    expect(states.filter((state) => state === 'back').length).to.be.greaterThan(5)
  })

  it('costs no byte of input and doubles none', async () => {
    const live = await computer.sessions.start(['sha256sum'])
    const hash = createHash('sha256')
    for (let n = 0; n < 120; n++) {
      const chunk = Buffer.alloc(100_003, n)
      hash.update(chunk)
      if (n % 25 === 20) lab.faults.cut()
      await live.stdin.write(chunk)
    }
    await live.stdin.end()
    expect((await text(live)).slice(0, 64)).to.equal(hash.digest('hex'))
    expect(await live.exit).to.deep.equal({ code: 0 })
    expect(states).to.include('back')
  })

  it('does not hurt a program that ends meanwhile', async () => {
    const live = await computer.sessions.start(['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do echo "line $i of many"; i=$((i+1)); done; exit 9'])
    const iterator = live.stdout[Symbol.asyncIterator]()
    const first = await iterator.next()
    lab.faults.fail('spawn', 'unavailable', 3)
    lab.faults.cut()
    let whole = Buffer.from(first.value ?? new Uint8Array()).toString()
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) whole += Buffer.from(next.value).toString()
    expect(whole.trim().split('\n').length).to.equal(2000)
    expect(await live.exit).to.deep.equal({ code: 9 })
  })

  it('paints a terminal anew, and goes on', async () => {
    const live = await computer.sessions.start(['sh', '-c', 'echo BEFORE; read a; echo "got:$a"; read b'], { tty: { cols: 80, rows: 24 } })
    const seen = collector(live)
    await seen.until('BEFORE')
    lab.faults.cut()
    await seen.until(/BEFORE[^]*BEFORE/)
    await live.stdin.write(Buffer.from('typed\r'))
    await seen.until('got:typed')
    await computer.sessions.kill(live.session.id, { grace: 0 })
    await live.exit
    await computer.sessions.remove(live.session.id)
  })

  it('delivers a signal once it is back', async () => {
    const live = await computer.sessions.start(['sh', '-c', 'trap "exit 5" USR1; echo ready; while :; do sleep 0.05; done'])
    await collector(live).until('ready')
    lab.faults.fail('spawn', 'unavailable', 2)
    lab.faults.cut()
    while (!states.includes('lost')) await new Promise((resolve) => setTimeout(resolve, 1))
    await live.kill('SIGUSR1')
    expect(await live.exit).to.deep.equal({ code: 5 })
  })

  it('ends what is tied to it, and says so', async () => {
    const program = await computer.spawn(['sh', '-c', 'echo $$; exec sleep 1000'])
    const pid = (await collector(program).until(/\d+\n/)).trim()
    lab.faults.cut()
    const error = await program.exit.then(() => undefined, (reason: unknown) => reason)
    expect(error).to.include({ code: 'connection_lost', computer: computer.name })
    await gone(computer, pid)
  })

  it('leaves the fate open when the computer cannot be reached any more, with the way back in', async () => {
    const other = lab.equip(await lab.create())
    const live = await other.sessions.start(['sleep', '1000'])
    lab.faults.fail('spawn', 'unauthorized', 1)
    lab.faults.cut()
    const error = await live.exit.then(() => undefined, (reason: unknown) => reason)
    expect(error).to.include({ code: 'connection_lost', hint: `amux computer attach ${live.session.id} -c ${other.name}` })
    const back = await other.sessions.attach(live.session.id)
    await back.kill()
    expect(await back.exit).to.deep.equal({ signal: 'SIGTERM' })
  })

  it('is final when the computer stops', async () => {
    const other = lab.equip(await lab.create())
    const live = await other.sessions.start(['sleep', '1000'])
    const ended = live.exit.then(() => undefined, (reason: unknown) => reason)
    await other.stop()
    expect(await ended).to.have.property('code').that.is.oneOf(['not_running', 'connection_lost'])
    await other.delete()
  })

  it('is told as such to whoever reads a file', async () => {
    await computer.files.write('big', Buffer.alloc(20_000_000))
    const read = async () => {
      for await (const chunk of computer.files.read('big')) {
        expect(chunk.length).to.be.greaterThan(0)
        lab.faults.cut()
      }
    }
    const error = await read().then(() => undefined, (reason: unknown) => reason)
    expect(error).to.include({ code: 'connection_lost' })
    expect((await computer.files.stat('big')).size).to.equal(20_000_000)
  })

  it('does not leave half a file behind', async () => {
    await computer.files.write('whole', Buffer.from('old'))
    const halves = async function* () {
      yield Buffer.alloc(300_000)
      lab.faults.cut()
      yield Buffer.alloc(300_000)
    }
    const error = await computer.files.write('whole', halves()).then(() => undefined, (reason: unknown) => reason)
    expect(error).to.include({ code: 'connection_lost' })
    expect((await computer.files.stat('whole')).size).to.equal(3)
  })
})

async function text(live: Pick<Attachment, 'stdout'>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const chunk of live.stdout) parts.push(chunk)
  return Buffer.concat(parts).toString()
}

async function output(computer: Equipped, script: string): Promise<string> {
  return (await text(await computer.spawn(['sh', '-c', script]))).trim()
}

function collector(live: Pick<Attachment, 'stdout'>) {
  const iterator = live.stdout[Symbol.asyncIterator]()
  let seen = ''
  return {
    async until(wanted: string | RegExp): Promise<string> {
      while (typeof wanted === 'string' ? !seen.includes(wanted) : !wanted.test(seen)) {
        const next = await iterator.next()
        if (next.done === true) throw new Error(`the output ended: ${JSON.stringify(seen)}`)
        seen += Buffer.from(next.value).toString()
      }
      return seen
    },
  }
}

async function gone(computer: Equipped, pid: string): Promise<void> {
  const alive = `kill -0 ${pid} 2>/dev/null && ! grep -q 'State:.Z' /proc/${pid}/status && echo alive || echo gone`
  while ((await output(computer, alive)) !== 'gone') await new Promise((resolve) => setTimeout(resolve, 20))
}
