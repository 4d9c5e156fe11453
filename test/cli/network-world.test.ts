import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { NetworkEvent, SessionInfo } from '../../src/contract/index.ts'
import { type Ran, Scratch, bin, root } from '../support/amux.ts'
import { opened } from '../support/opened.ts'
import { asRoot, at, NEEDS_ROOT, World } from '../support/world.ts'

const USER = `amux-w${process.pid}`

/** How an ordinary user runs amux there, who may not be able to enter the repository, nor to open this machine's tun device. */
function asUser({ path, home, project }: Scratch): readonly string[] {
  const [tun, repository, node] = [join(path, 'tun'), join(path, 'repository'), join(path, 'node')]
  execFileSync('useradd', ['--no-create-home', '--home-dir', path, '--shell', '/bin/sh', USER])
  execFileSync('mknod', [tun, 'c', '10', '200'])
  chmodSync(tun, 0o666)
  chmodSync(path, 0o755)
  mkdirSync(repository)
  writeFileSync(node, '')
  execFileSync('chown', ['-R', USER, home, project])
  const mounts = `mount --bind ${tun} /dev/net/tun || exit; ${opened('"$0"', repository)}; mount --bind "$1" ${node} && shift`
  return ['sh', '-c', `${mounts} && exec setpriv --reuid ${USER} --regid ${USER} --clear-groups --inh-caps=-all ${node} ${repository}/bin/run.js "$@"`, root, process.execPath]
}

/** curl's words for: could not resolve; could not connect; timed out. */
const UNRESOLVED = 6
const UNREACHED = 7

for (const tier of ['root', 'user'] as const) describe(`a fenced computer in a world of its own, tier ${tier}`, function () {
  this.timeout(120_000)
  let world: World
  let scratch: Scratch
  let way: readonly string[] = []

  before(async function () {
    if (!asRoot) {
      process.stderr.write(`${NEEDS_ROOT}\n`)
      this.skip()
    }
    world = await World.make('none')
    await world.zones({ 'good.test': { a: [at.good] }, 'www.good.test': { cname: 'good.test' }, 'evil.test': { a: [at.evil] }, 'third.test': { a: [at.third], ttl: 0 }, 'liar.test': { a: [at.host] } })
    scratch = await Scratch.make()
    way = tier === 'root' ? [process.execPath, bin] : asUser(scratch)
    writeFileSync(join(scratch.project, 'policy.txt'), 'allow good.test\nallow *.good.test\nallow liar.test\n')
    expect(await amux('computer', 'create', '-P', 'local', '--network', 'policy.txt')).to.include({ status: 0 })
  })
  after(async () => {
    if (scratch) {
      await amux('computer', 'rm', '--yes')
      await scratch.dispose()
    }
    if (tier === 'user') spawnSync('userdel', ['--force', USER], { stdio: 'ignore' })
    world?.end()
  })

  /** As a user of the machine `host` runs it, whose network leads to that world only. */
  function amux(...args: string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn('ip', ['netns', 'exec', world.host, ...way, ...args], { cwd: scratch.project, env: scratch.env({ HOME: scratch.path }), stdio: ['ignore', 'pipe', 'pipe'] })
      const text = { stdout: '', stderr: '' }
      for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk: Buffer) => (text[stream] += chunk.toString()))
      child.on('error', reject)
      child.on('close', (status) => resolve({ status, ...text }))
    })
  }
  const json = async <T>(...args: string[]) => JSON.parse((await amux(...args, '--json')).stdout) as T
  const curl = (url: string) => amux('computer', 'exec', '--', 'curl', '-sS', '-m', '10', url)
  const fetched = async (url: string) => {
    const { status, stdout } = await curl(url)
    return status === 0 ? stdout.trim() : status
  }
  const set = (text: string) => {
    writeFileSync(join(scratch.project, 'next.txt'), text)
    return json<{ readonly cut: readonly NetworkEvent[]; readonly inForce: boolean }>('computer', 'network', 'set', 'next.txt')
  }
  /** Reads from there for as long as it may. */
  const hold = async (name: string, host: string, port: number) => {
    expect(await amux('computer', 'exec', '-d', '--name', name, '--', 'bash', '-c', `exec 3<>/dev/tcp/${host}/${port} && touch /tmp/${name} && exec cat <&3 > /dev/null`)).to.include({ status: 0 })
    await until(async () => (await amux('computer', 'exec', '--', 'test', '-e', `/tmp/${name}`)).status === 0)
  }
  const running = async () => (await json<readonly SessionInfo[]>('computer', 'session', 'ls')).filter(({ state }) => state.status === 'running').map(({ name }) => name)

  it('reaches what its policy allows and nothing else, from the first program on', async () => {
    expect(await fetched('http://good.test/')).to.equal(at.good)
    expect(await fetched('http://www.good.test/')).to.equal(at.good)
    expect(await fetched('http://evil.test/')).to.equal(UNRESOLVED)
    expect(await fetched(`http://${at.evil}/`)).to.equal(UNREACHED)
    // What an allowed name led to is open under every name; the machine itself never is.
    expect(await fetched(`http://${at.good}/`)).to.equal(at.good)
    expect(await fetched('http://liar.test/')).to.equal(UNRESOLVED)
  })

  it('finds no way round by another resolver', async () => {
    const dig = (...args: string[]) => amux('computer', 'exec', '--', 'dig', '+time=3', '+tries=1', ...args)
    for (const way of ['+notcp', '+tcp']) expect((await dig(`@${at.decoy}`, way, 'evil.test')).stdout).to.contain('status: REFUSED')
    expect((await dig(`@${at.decoy}`, 'good.test')).stdout).to.contain(at.good)
    expect((await world.asked()).decoyed).to.equal(0)
  })

  it('is allowed more, and less, at once; what is still allowed goes on', async () => {
    expect((await set('allow good.test\nallow evil.test\n')).inForce).to.equal(true)
    expect(await fetched('http://evil.test/')).to.equal(at.evil)
    await hold('kept', 'good.test', 19)
    await hold('busy', 'evil.test', 19)
    await hold('idle', 'evil.test', 7)
    const { cut } = await set('allow good.test\n')
    expect(cut.some(({ address, port }) => address === at.evil && port === 7)).to.equal(true)
    await until(async () => (await running()).join() === 'kept')
    expect(await fetched('http://evil.test/')).to.equal(UNRESOLVED)
    expect(await fetched(`http://${at.evil}/`)).to.equal(UNREACHED)
    expect(await running()).to.deep.equal(['kept'])
  })

  it('is fenced again after a stop, from the first program on', async () => {
    expect(await amux('computer', 'stop')).to.include({ status: 0 })
    expect(await amux('computer', 'network', 'allow', 'third.test')).to.include({ status: 0 })
    expect(await amux('computer', 'start')).to.include({ status: 0 })
    expect(await fetched(`http://${at.evil}/`)).to.equal(UNREACHED)
    expect(await fetched('http://evil.test/')).to.equal(UNRESOLVED)
    expect(await fetched('http://third.test/')).to.equal(at.third)
  })

  it('logs what it denied and how it was changed', async () => {
    await curl('http://logged.test/')
    const lines = (await amux('computer', 'network', 'log', '--json')).stdout.trim().split('\n').map((line) => JSON.parse(line) as NetworkEvent)
    expect(lines.some(({ event, domain }) => event === 'lookup' && domain === 'logged.test')).to.equal(true)
    expect(lines.some(({ event, address, port }) => event === 'connect' && address === at.evil && port === 80)).to.equal(true)
    expect(lines.some(({ event }) => event === 'policy')).to.equal(true)
    expect(lines.map(({ time }) => time)).to.deep.equal(lines.map(({ time }) => time).toSorted())
    const denied = (await amux('computer', 'network', 'log', '--denied')).stdout
    expect(denied).to.contain('logged.test').and.not.contain('  policy')
  })

  it('is open again after a reset, addresses too', async () => {
    expect(await amux('computer', 'network', 'reset')).to.include({ status: 0 })
    expect(await fetched('http://evil.test/')).to.equal(at.evil)
    expect(await fetched(`http://${at.third}/`)).to.equal(at.third)
  })

  it('denies one domain of all', async () => {
    expect(await amux('computer', 'network', 'deny', 'evil.test')).to.include({ status: 0 })
    expect(await fetched('http://third.test/')).to.equal(at.third)
    expect(await fetched('http://evil.test/')).to.equal(UNRESOLVED)
    expect(await fetched(`http://${at.evil}/`)).to.equal(UNREACHED)
  })
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 100) throw new Error('it does not come to be')
    await delay(50)
  }
}
