import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Computer } from '../../../src/contract/index.ts'
import { layout } from '../src/layout.ts'
import { asRoot, attempt, type Bench, bench, failure, inCommandLine, processes, sh, until } from './support.ts'

/** Of this machine, other than loopback. */
const address = Object.values(networkInterfaces()).flatMap((all) => all ?? []).find((one) => one.family === 'IPv4' && !one.internal)?.address
/** fd00::/64 is a computer's own network. */
const address6 = Object.values(networkInterfaces()).flatMap((all) => all ?? []).find((one) => one.family === 'IPv6' && !one.internal && one.scopeid === 0 && !one.address.startsWith('fd00::'))?.address
const NAMED = process.env['AMUX_TEST_NAMED'] === '1'

describe('the network of a local computer', function () {
  this.timeout(60_000)
  let local: Bench
  let computer: Computer
  let servers: Server[]
  const port = () => portOf(servers[0])
  before(async () => {
    local = await bench()
    servers = [await serve('127.0.0.1', 'loopback'), await serve('127.0.0.1', 'hidden'), ...(address ? [await serve(address, 'outside')] : [])]
    computer = await local.create({ network: { hostPorts: [port()] } })
  })
  after(async () => {
    for (const server of servers) server.close()
    await local.end()
  })

  const reach = async (host: string, port: number, on = computer) => (await attempt(on, `timeout 5 bash -c 'exec 3<>/dev/tcp/${host}/${port} && cat <&3'`)).stdout
  const attendants = (on = computer) => execFileSync('ps', ['-eo', 'pid=']).toString().trim().split(/\s+/).filter((pid) => inCommandLine(pid, layout(local.dataDir, on.name).store) || inCommandLine(pid, `\0${processes(local, on).first}\0tap0`))

  it('is its own, and it says so', async () => {
    const info = await computer.info()
    expect(info.details?.['network']).to.equal('own')
    expect(info.capabilities?.network).to.equal(undefined)
    expect(info.capabilities?.isolation).to.equal(undefined)
    expect(await sh(computer, 'readlink /proc/self/ns/net')).not.to.equal(execFileSync('readlink', ['/proc/self/ns/net']).toString().trim())
    expect(await sh(computer, 'ls /sys/class/net | tr "\\n" " "; cat /etc/resolv.conf')).to.match(/nameserver 10\.0\.2\.3/)
    expect(await sh(computer, 'cat /proc/net/dev')).to.include('tap0').and.include('lo:')
  })

  if (address !== undefined) {
    it('leads out', async () => {
      expect(await reach(address, portOf(servers[2]))).to.equal('outside')
    })
  }

  if (address6 !== undefined) {
    it('leads out over IPv6 as well', async () => {
      const server = await serve(address6, 'outside by 6')
      try {
        await until('it has an address', async () => (await reach(address6, portOf(server))) === 'outside by 6')
      } finally {
        server.close()
      }
    })
  }

  if (NAMED) {
    it('has names', async () => {
      const dns = createSocket('udp4')
      dns.on('message', (query, from) => {
        const answer = Buffer.from(query)
        answer.writeUInt16BE(0x8180, 2)
        const wantsA = query.readUInt16BE(query.indexOf(0, 12) + 1) === 1
        answer.writeUInt16BE(wantsA ? 1 : 0, 6)
        answer.writeUInt16BE(0, 10)
        const question = answer.subarray(0, query.indexOf(0, 12) + 5)
        dns.send(wantsA ? Buffer.concat([question, Buffer.from('c00c000100010000003c0004c6336401', 'hex')]) : question, from.port, from.address)
      })
      await new Promise<void>((resolve) => dns.bind(53, address, resolve))
      expect(await sh(computer, 'getent hosts some.test')).to.match(/^198\.51\.100\.1\s/)
      dns.close()
    })
  }

  it('reaches of this machine\'s loopback only the ports it was given', async () => {
    expect(await reach('127.0.0.1', port())).to.equal('loopback')
    expect(await reach('localhost', port())).to.equal('loopback')
    for (const host of ['127.0.0.1', '10.0.2.2', 'localhost']) expect(await reach(host, portOf(servers[1])), host).to.equal('')
  })

  it('does not see abstract sockets of this machine', async () => {
    const name = `\0amux-net-test-${process.pid}`
    const server = createServer((socket) => socket.end())
    await new Promise<void>((resolve) => server.listen(name, resolve))
    const { exit } = await attempt(computer, `node -e 'require("net").connect("\\0amux-net-test-${process.pid}").on("connect",()=>process.exit(0)).on("error",()=>process.exit(9))'`)
    server.close()
    expect(exit.code).to.equal(9)
  })

  it('is the same for every way in', async () => {
    const own = await sh(computer, 'readlink /proc/self/ns/net')
    const program = await computer.aside?.(['sh', '-c', 'readlink /proc/self/ns/net; ip link set lo mtu 60000 && echo power'], { net: true })
    let text = ''
    for await (const chunk of program?.stdout ?? []) text += Buffer.from(chunk).toString()
    expect(text).to.equal(`${own}\npower\n`)
    expect((await sh(computer, 'cat /sys/class/net/lo/mtu /proc/1/cmdline | head -1; cat /proc/net/dev | wc -l'))).to.match(/\d/)
  })

  it('is not in the power of its programs, nor can they get that back', async () => {
    const user = asRoot ? { user: 'root' } : {}
    for (const script of [
      'ip link set lo down',
      'ip addr add 10.9.9.9/24 dev lo',
      'ip route del default',
      'nft add table inet x',
      'unshare -Ur ip link set lo down',
      'unshare -Ur nft list ruleset && unshare -Ur nft add table inet x',
      'nsenter --net=/proc/1/ns/net --user=/proc/1/ns/user ip link set lo down',
      'unshare -Ur nsenter --net=/proc/1/ns/net ip link set lo down',
      'ip tuntap add dev tap9 mode tap',
    ])
      expect((await attempt(computer, script, user)).exit.code, script).not.to.equal(0)
    const python = (code: string) => attempt(computer, `python3 -c '${code}'`, user)
    for (const family of ['socket.AF_PACKET', '40']) {
      const { exit, stderr } = await python(`import socket; socket.socket(${family}, socket.SOCK_RAW if ${family} == 17 else socket.SOCK_STREAM)`)
      if (exit.code !== 127) expect(stderr, family).to.match(/not supported/)
    }
  })

  it('lets its users listen on any port, and ping', async () => {
    expect(await sh(computer, 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start')).to.equal('0')
    const { exit } = await attempt(computer, "python3 -c 'import socket; s = socket.socket(2, 2, 1); s.sendto(bytes([8] + 7 * [0]), (\"127.0.0.1\", 0)); s.settimeout(5); s.recv(99)'")
    expect(exit.code).to.be.oneOf([0, 127])
  })

  it('comes back when what serves it is killed', async () => {
    const before = attendants()
    expect(before.length).to.be.greaterThan(1)
    for (const pid of before) {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // A child of one that is gone.
      }
    }
    await until('all are back', () => attendants().filter((pid) => !before.includes(pid)).length >= 2)
    await until('the port works', async () => (await reach('127.0.0.1', port())) === 'loopback')
    if (address !== undefined) await until('the way out works', async () => (await reach(address, portOf(servers[2]))) === 'outside')
  })

  it('ends with the computer, however that ends', async () => {
    for (const end of [() => computer.stop(), async () => void process.kill(processes(local, computer).keeper, 'SIGKILL')]) {
      const pids = attendants()
      expect(pids.length).to.be.greaterThan(1)
      await end()
      await until('they have ended', () => pids.every((pid) => !existsSync(`/proc/${pid}`)))
      await computer.start()
      expect(await reach('127.0.0.1', port())).to.equal('loopback')
    }
  })

  it('may be none at all', async () => {
    const alone = await local.create({ network: { access: 'none', hostPorts: [port()] } })
    expect((await alone.info()).details?.['network']).to.equal('none')
    expect(await sh(alone, 'cat /proc/net/dev | grep -c :')).to.equal('1')
    expect(await reach('127.0.0.1', port(), alone)).to.equal('loopback')
    if (address !== undefined) expect(await reach(address, portOf(servers[2]), alone)).to.equal('')
    await alone.delete()
  })

  it('has its policy before the first instruction, and after every start', async () => {
    const fenced = await local.create({ network: { policy: { rules: [{ domain: 'good.test', action: 'allow' }] } } })
    const file = join(layout(local.dataDir, fenced.name).store, 'network/policy')
    expect(readFileSync(file, 'utf8')).to.match(/^amux-policy 1\n[^]*allow good\.test/)
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    for (const round of ['first', 'second']) {
      const rules = await fenced.aside?.(['sh', '-c', 'PATH=$PATH:/usr/sbin nft list tables'], { net: true })
      let text = ''
      for await (const chunk of rules?.stdout ?? []) text += Buffer.from(chunk).toString()
      expect(text, round).to.include('table inet amux')
      if (address !== undefined) expect(await reach(address, portOf(servers[2]), fenced), round).to.equal('')
      expect(await sh(fenced, 'cat /run/amux/store/network/policy 2>&1 || true')).to.match(/No such file|Permission denied/)
      await fenced.stop()
      await fenced.start()
    }
    await fenced.delete()
  })

  it('is not made from what makes no sense', async () => {
    for (const hostPorts of [[0], [65536], [1.5]]) expect((await failure(local.create({ network: { hostPorts } }))).code).to.equal('invalid_argument')
  })

  it('fails the start when one of its programs does not get ready, naming it, and leaves nothing', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'amux-broken-'))
    await writeFile(join(dir, 'amux-net'), '#!/bin/sh\necho first >&2\necho it is broken >&2\nexit 3\n', { mode: 0o755 })
    const broken = await bench(undefined, { tools: async () => dir })
    const name = broken.name()
    const { message } = await failure(broken.create({ name }))
    expect(message).to.include('amux-net: it is broken')
    expect(execFileSync('ps', ['-eo', 'args=']).toString()).not.to.include(broken.dataDir)
    expect((await failure(broken.provider.get(name))).code).to.equal('not_found')
    await broken.end()
    await rm(dir, { recursive: true })
  })
})

function serve(host: string, text: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(text))
  return new Promise((resolve) => server.listen(0, host, () => resolve(server)))
}

function portOf(server: Server | undefined): number {
  const at = server?.address()
  return typeof at === 'object' && at ? at.port : 0
}
