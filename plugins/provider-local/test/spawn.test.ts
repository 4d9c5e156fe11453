import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { randomBytes } from 'node:crypto'
import type { Computer } from '../../../src/contract/index.ts'
import { attempt, type Bench, bench, failure, finish, sh, text, tier, until } from './support.ts'

describe('a program on a local computer, without its guest', () => {
  let local: Bench
  let computer: Computer
  before(async () => {
    local = await bench()
    computer = await local.create({ env: { GIVEN: 'at creation', BOTH: 'creation' } })
  })
  after(() => local.end())

  it('gets its arguments exactly', async () => {
    const args = ['', ' ', 'a b', '"\'\\', 'two\nlines', '%s\t%09', '-c', '--', 'ü\u{1F600}', 'x'.repeat(100_000)]
    const { stdout } = await finish(await computer.spawn(['node', '-e', 'process.stdout.write(JSON.stringify(process.argv.slice(1)))', '--', ...args]))
    expect(JSON.parse(stdout)).to.deep.equal(args)
  })

  it('gets the environment merged', async () => {
    const environment = (await sh(computer, 'env', { env: { BOTH: 'call', OWN: 'a=b' } })).split('\n')
    expect(environment).to.include.members(['GIVEN=at creation', 'BOTH=call', 'OWN=a=b'])
    expect(environment.some((line) => line.startsWith('PATH='))).to.equal(true)
    expect(environment.filter((line) => /^(SSH_|npm_|MOCHA)/.test(line))).to.deep.equal([])
  })

  it('works where it is told to', async () => {
    const home = (await computer.info()).user?.home ?? ''
    expect(await sh(computer, 'pwd')).to.equal(home)
    expect(await sh(computer, 'pwd', { cwd: '/usr/bin' })).to.equal('/usr/bin')
    await sh(computer, 'mkdir -p below')
    expect(await sh(computer, 'pwd', { cwd: 'below' })).to.equal(`${home}/below`)
    expect((await failure(computer.spawn(['true'], { cwd: '/nowhere' }))).code).to.equal('not_found')
  })

  it('ends with its own status or signal', async () => {
    for (const code of [0, 1, 127, 255]) expect((await attempt(computer, `exit ${code}`)).exit).to.deep.equal({ code })
    for (const signal of ['KILL', 'TERM', 'HUP', 'SEGV']) expect((await attempt(computer, `kill -${signal} $$`)).exit).to.deep.equal({ signal: `SIG${signal}` })
  })

  it('that cannot start says why', async () => {
    expect((await failure(computer.spawn(['no-such-program']))).code).to.equal('program_not_found')
    expect((await failure(computer.spawn(['/etc/passwd']))).code).to.equal('program_not_executable')
    expect((await failure(computer.spawn([]))).code).to.equal('invalid_argument')
    expect((await failure(computer.spawn(['echo', 'a\0b']))).code).to.equal('invalid_argument')
    const other = await failure(computer.spawn(['true'], { user: tier === 'root' ? 'nobody-here' : 'root' }))
    expect(other.code).to.equal(tier === 'root' ? 'not_found' : 'unsupported')
  })

  it('gets and gives bytes unchanged, and sees the end of its input', async () => {
    const bytes = randomBytes(3_000_000)
    const program = await computer.spawn(['sh', '-c', 'cat; echo done >&2'])
    const sent = program.stdin.write(bytes).then(() => program.stdin.end())
    const parts: Uint8Array[] = []
    for await (const part of program.stdout) parts.push(part)
    await sent
    expect(Buffer.concat(parts).equals(bytes)).to.equal(true)
    expect(await text(program.stderr)).to.equal('done\n')
    expect(await program.exit).to.deep.equal({ code: 0 })
  })

  it('waits for a reader that pauses', async () => {
    const program = await computer.spawn(['head', '-c', '50000000', '/dev/zero'])
    let size = 0
    for await (const part of program.stdout) size += part.byteLength
    expect(size).to.equal(50_000_000)
  })

  it('has a terminal when asked, of the size given and changed', async () => {
    const program = await computer.spawn(['sh', '-c', 'trap "stty size; exit 7" WINCH; test -t 0 && test -t 1 && test -t 2 && stty size; while :; do sleep 0.05; done'], {
      tty: { cols: 91, rows: 31 },
    })
    let seen = ''
    const reading = (async () => {
      for await (const part of program.stdout) seen += Buffer.from(part)
    })()
    await until('first size', () => seen.includes('31 91'))
    await program.resize({ cols: 120, rows: 40 })
    expect(await program.exit).to.deep.equal({ code: 7 })
    await reading
    expect(seen).to.include('40 120')
  })

  it('without a terminal has no size', async () => {
    const program = await computer.spawn(['sleep', '1000'])
    expect((await failure(program.resize({ cols: 1, rows: 1 }))).code).to.equal('invalid_argument')
    expect((await failure(program.kill('SIGNONE'))).code).to.equal('invalid_argument')
    await program.kill('SIGINT')
    expect(await program.exit).to.deep.equal({ signal: 'SIGINT' })
    await program.kill()
  })

  it('dies when its caller gives up', async () => {
    const controller = new AbortController()
    const program = await computer.spawn(['sleep', '87654'], { signal: controller.signal })
    controller.abort()
    expect((await failure(program.exit)).code).to.equal('aborted')
    await until('it is gone', async () => (await sh(computer, 'ps ax | grep -c "[s]leep 87654" || true')) === '0')
  })

  it('is one of the computer: same processes, same terminal devices, another host name', async () => {
    expect(await sh(computer, 'hostname; tr "\\0" " " < /proc/1/cmdline | cut -d" " -f1,2')).to.equal(`${computer.name}\n/run/amux/kit/init run`)
    expect(await sh(computer, 'ls /dev/pts | head -1')).to.match(/^(ptmx|0)$/)
  })
})
