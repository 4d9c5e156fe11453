import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createHash, randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Equipped } from '../../../src/emulation/index.ts'
import { Client } from '../src/client.ts'
import { type Certificates, certificates, freePort, hasSshd, type Sshd, sshd } from './away.ts'
import { mayStart, type PrivateEngine, privateEngine, SMALL } from './private.ts'
import { failure, finish, type Lab, lab, sh } from './support.ts'

const asRoot = { user: 'root' }

/** What the environment says while that is done. */
async function given<T>(env: Readonly<Record<string, string>>, work: () => T | Promise<T>): Promise<T> {
  const names = ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'PATH']
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]))
  for (const name of names) if (name !== 'PATH') delete process.env[name]
  Object.assign(process.env, env)
  try {
    return await work()
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/** Everything that goes another way where the engine is not on this machine. */
async function works(bench: Lab, project: string): Promise<void> {
  const computer = await bench.create({ project: { path: project, name: 'carried' }, env: { GIVEN: 'yes' } })
  const info = await computer.info()
  expect(info.workspace, 'it is carried, not mounted').to.equal(undefined)
  expect(await sh(computer, 'echo $GIVEN; id -u')).to.equal('yes\n1001')
  await bytes(computer)
  await sessions(bench, computer)
  await files(computer)
  await checkpoints(computer)
  await tunnel(computer)
  await computer.stop()
  await computer.start()
  expect(await sh(computer, 'cat /opt/file', asRoot)).to.equal('first')
  await computer.delete()
  expect(await failure(bench.provider.get(computer.name))).to.include({ code: 'not_found' })
}

async function bytes(computer: Equipped): Promise<void> {
  const data = randomBytes(3_000_001)
  const program = await computer.spawn(['sh', '-c', 'cat; echo end >&2; exit 7'])
  const ended = finish(program)
  const read = (async () => {
    for (let at = 0; at < data.length; at += 99_991) await program.stdin.write(data.subarray(at, at + 99_991))
    await program.stdin.end()
  })()
  const { exit, stderr } = await ended
  await read
  expect({ exit, stderr }).to.deep.equal({ exit: { code: 7 }, stderr: 'end\n' })
  const sum = await computer.spawn(['sha256sum'])
  await sum.stdin.write(data)
  await sum.stdin.end()
  expect((await finish(sum)).stdout).to.include(createHash('sha256').update(data).digest('hex'))
}

/** One outlives the connection of who started it. */
async function sessions(bench: Lab, computer: Equipped): Promise<void> {
  const first = await bench.equip(await bench.provider.get(computer.name))
  const live = await first.sessions.start(['sh', '-c', 'echo before; read line; echo "got $line"; exit 5'], { name: 'kept' })
  const iterator = live.stdout[Symbol.asyncIterator]()
  expect(Buffer.from((await iterator.next()).value ?? []).toString()).to.equal('before\n')
  live.exit.catch(() => undefined)
  await first.close()
  const again = await computer.sessions.attach('kept')
  const ended = finish(again)
  await again.stdin.write(Buffer.from('word\n'))
  const { exit, stdout } = await ended
  expect({ exit, stdout }).to.deep.equal({ exit: { code: 5 }, stdout: 'before\ngot word\n' })
}

async function files(computer: Equipped): Promise<void> {
  const data = randomBytes(1_000_000)
  await computer.files.write('/home/amux/copy', (async function* () { yield data })())
  const back: Uint8Array[] = []
  for await (const chunk of computer.files.read('/home/amux/copy')) back.push(chunk)
  expect(Buffer.concat(back).equals(data)).to.equal(true)
}

async function checkpoints(computer: Equipped): Promise<void> {
  await sh(computer, 'echo first > /opt/file; rm /etc/lower/one', asRoot)
  const { id } = await computer.checkpoints.create()
  await sh(computer, 'echo second > /opt/file; rm -r /etc/lower', asRoot)
  await computer.checkpoints.restore(id)
  expect(await sh(computer, 'cat /opt/file; ls /etc/lower', asRoot)).to.equal('first\nsub')
}

async function tunnel(computer: Equipped): Promise<void> {
  const script = 'require("node:net").createServer((s) => s.pipe(s)).listen(4321, "127.0.0.1", () => console.log("up"))'
  const server = await computer.spawn(['sh', '-c', 'for n in /run/amux/kit/*/node; do exec $n -e "$0"; done', script])
  expect(Buffer.from((await server.stdout[Symbol.asyncIterator]().next()).value ?? []).toString()).to.equal('up\n')
  const stream = await computer.tunnel(4321)
  await stream.sink.write(Buffer.from('through'))
  await stream.sink.end()
  let text = ''
  for await (const chunk of stream.source) text += Buffer.from(chunk).toString()
  expect(text).to.equal('through')
  await server.kill()
}

if (mayStart) {
  describe('a Docker engine elsewhere', function () {
    this.timeout(180_000)
    let engine: PrivateEngine
    let certs: Certificates
    let ssh: Sshd | undefined
    let tcp = ''
    let dir = ''
    before(async function () {
      dir = mkdtempSync(join(tmpdir(), 'amux-away-'))
      certs = certificates(dir)
      tcp = `tcp://127.0.0.1:${await freePort()}`
      const started = await privateEngine('--storage-driver', 'overlay2', '-H', tcp, ...certs.server)
      if (!started) return this.skip()
      engine = started
      if (hasSshd) ssh = await sshd(dir)
    })
    after(async () => {
      ssh?.end()
      await engine?.end()
      rmSync(dir, { recursive: true, force: true })
    })

    const version = (env: Readonly<Record<string, string>>) => given(env, () => failure(new Client().version()))
    const bySsh = (options: Readonly<Record<string, string>> = {}) => `${ssh?.with(options)}:${process.env['PATH']}`
    const target = () => `ssh://root@127.0.0.1:${ssh?.port}${engine.host.slice('unix://'.length)}`

    it('does all that one here does, over TLS', () =>
      given({ DOCKER_HOST: tcp, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs.client }, async () => {
        const bench = await lab(tcp, SMALL)
        try {
          await works(bench, engine.dir)
        } finally {
          await bench.end()
        }
      }))

    it('keeps a network policy over TLS', () =>
      given({ DOCKER_HOST: tcp, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs.client }, async () => {
        const bench = await lab(tcp, SMALL)
        try {
          const computer = await bench.create({ network: { policy: { rules: [{ domain: 'allowed.example', action: 'allow' }] } } })
          expect((await computer.network.get()).rules).to.have.lengthOf(1)
          const { exit } = await finish(await computer.spawn(['getent', 'hosts', 'denied.example']))
          expect(exit).not.to.deep.equal({ code: 0 })
          await computer.network.set({ rules: [] })
          expect((await computer.network.get()).rules).to.deep.equal([])
        } finally {
          await bench.end()
        }
      }))

    it('is found by a context that the docker command made', async () => {
      const config = join(engine.dir, 'config')
      const { client } = certs
      execFileSync('docker', ['context', 'create', 'away', '--docker', `host=${tcp},ca=${client}/ca.pem,cert=${client}/cert.pem,key=${client}/key.pem`], { env: { ...process.env, DOCKER_CONFIG: config }, stdio: 'pipe' })
      await given({ DOCKER_CONFIG: config, DOCKER_CONTEXT: 'away' }, async () => {
        const found = new Client()
        expect(found.found.because).to.equal('context away')
        expect((await found.version()).Os).to.equal('linux')
      })
    })

    it('that cannot be trusted, does not trust, or is not there says which', async () => {
      const stranger = await version({ DOCKER_HOST: tcp, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs.stranger })
      expect(stranger).to.include({ code: 'unauthorized' })
      expect(stranger.message).to.include('certificate')
      expect(stranger.hint).to.include('ca.pem')
      const nobody = await version({ DOCKER_HOST: tcp, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs.nobody })
      expect(nobody).to.include({ code: 'credential_missing' })
      expect(nobody.hint).to.include('cert.pem')
      const plain = await version({ DOCKER_HOST: tcp })
      expect(plain).to.include({ code: 'credential_missing' })
      expect(plain.hint).to.include('DOCKER_TLS_VERIFY')
      const away = await version({ DOCKER_HOST: `tcp://127.0.0.1:${await freePort()}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs.client })
      expect(away).to.include({ code: 'unavailable' })
      const secure = await new Promise<number>((resolve) => {
        const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
        server.unref()
      })
      const unsecured = await version({ DOCKER_HOST: `tcp://127.0.0.1:${secure}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certs.client })
      expect(unsecured).to.include({ code: 'unavailable' }).and.property('message').include('TLS')
    })

    it('runs programs, keeps sessions and makes checkpoints over ssh', async function () {
      if (!ssh) return this.skip()
      // As the docs advise.
      const shared = { ControlMaster: 'auto', ControlPath: join(dir, 'cm'), ControlPersist: '5' }
      await given({ DOCKER_HOST: target(), PATH: bySsh(shared) }, async () => {
        const bench = await lab(target(), SMALL)
        try {
          const computer = await bench.create()
          await bytes(computer)
          await sessions(bench, computer)
          await checkpoints(computer)
          await computer.delete()
        } finally {
          await bench.end()
        }
      })
    })

    it('over ssh that is not known, does not let in, or is away says which', async function () {
      if (!ssh) return this.skip()
      const { port } = ssh
      const unknown = await version({ DOCKER_HOST: target(), PATH: bySsh({ UserKnownHostsFile: '/dev/null' }) })
      expect(unknown).to.include({ code: 'unauthorized' })
      expect(unknown.message).to.include('host key')
      expect(unknown.hint).to.include(`ssh -p ${port} root@127.0.0.1`)
      const refused = await version({ DOCKER_HOST: target(), PATH: bySsh({ IdentityFile: '/dev/null' }) })
      expect(refused).to.include({ code: 'unauthorized' })
      expect(refused.message).to.include('ermission denied')
      const away = await version({ DOCKER_HOST: `ssh://root@127.0.0.1:${await freePort()}`, PATH: bySsh() })
      expect(away).to.include({ code: 'unavailable' }).and.property('message').include('refused')
      const none = await version({ DOCKER_HOST: `ssh://root@127.0.0.1:${port}/nowhere.sock`, PATH: bySsh() })
      expect(none.code).to.be.oneOf(['unavailable', 'tool_missing'])
      expect(none.message).to.include('/nowhere.sock')
      const absent = await version({ DOCKER_HOST: target(), PATH: '/nowhere' })
      expect(absent).to.include({ code: 'tool_missing' })
    })
  })
}
