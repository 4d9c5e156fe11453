import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { found } from './small-image.ts'

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

export interface Certificates {
  /** For the engine. */
  readonly server: readonly string[]
  /** As DOCKER_CERT_PATH: of this authority; of another one; with the authority and no certificate of its own. */
  readonly client: string
  readonly stranger: string
  readonly nobody: string
}

export function certificates(dir: string): Certificates {
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir })
  const authority = (name: string) => openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}-key.pem`, '-out', `${name}.pem`)
  const signed = (name: string, by: string, ext: string) => {
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`)
    writeFileSync(join(dir, 'ext'), ext)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${by}.pem`, '-CAkey', `${by}-key.pem`, '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', `${name}.pem`)
  }
  const folder = (name: string, files: Readonly<Record<string, string>>) => {
    const path = join(dir, `certs-${name}`)
    mkdirSync(path)
    for (const [to, from] of Object.entries(files)) writeFileSync(join(path, to), readFileSync(join(dir, from)))
    return path
  }
  authority('ca')
  authority('other')
  signed('server', 'ca', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth')
  signed('client', 'ca', 'extendedKeyUsage=clientAuth')
  return {
    server: ['--tlsverify', '--tlscacert', join(dir, 'ca.pem'), '--tlscert', join(dir, 'server.pem'), '--tlskey', join(dir, 'server-key.pem')],
    client: folder('client', { 'ca.pem': 'ca.pem', 'cert.pem': 'client.pem', 'key.pem': 'client-key.pem' }),
    stranger: folder('stranger', { 'ca.pem': 'other.pem', 'cert.pem': 'client.pem', 'key.pem': 'client-key.pem' }),
    nobody: folder('nobody', { 'ca.pem': 'ca.pem' }),
  }
}

export const hasSshd = process.getuid?.() === 0 && found('sshd') !== undefined && found('ssh') !== undefined
if (!hasSshd) console.warn('\n!!! NO SSHD: engines over ssh are not tested. apt-get install openssh-server\n')

export interface Sshd {
  readonly port: number
  /** Folder with a program `ssh`, which is the user's with these options before its own: what a configuration says. */
  with(options: Readonly<Record<string, string>>): string
  end(): void
}

/** One of our own, for whoever has its key. */
export async function sshd(dir: string): Promise<Sshd> {
  const port = await freePort()
  for (const key of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, key)])
  writeFileSync(join(dir, 'authorized'), readFileSync(join(dir, 'user.pub')), { mode: 0o600 })
  const [type = '', key = ''] = readFileSync(join(dir, 'host.pub'), 'utf8').split(' ')
  writeFileSync(join(dir, 'known'), `[127.0.0.1]:${port} ${type} ${key}\n`)
  writeFileSync(join(dir, 'unknown'), '')
  mkdirSync('/run/sshd', { recursive: true })
  const options = { Port: port, ListenAddress: '127.0.0.1', HostKey: join(dir, 'host'), AuthorizedKeysFile: join(dir, 'authorized'), PidFile: 'none', StrictModes: 'no', PermitRootLogin: 'yes', UsePAM: 'no', MaxStartups: '100', MaxSessions: '100' }
  const child = spawn(found('sshd') ?? '', ['-D', '-e', '-f', '/dev/null', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])], { stdio: ['ignore', 'ignore', 'ignore'] })
  await delay(500)
  let count = 0
  return {
    port,
    with(options) {
      const folder = join(dir, `bin-${++count}`)
      mkdirSync(folder)
      const all = { IdentityFile: join(dir, 'user'), IdentitiesOnly: 'yes', BatchMode: 'yes', UserKnownHostsFile: join(dir, 'known'), StrictHostKeyChecking: 'yes', ...options }
      writeFileSync(join(folder, 'ssh'), `#!/bin/sh\nexec ${found('ssh')} -F /dev/null ${Object.entries(all).map(([name, value]) => `-o ${name}=${value}`).join(' ')} "$@"\n`, { mode: 0o755 })
      return folder
    },
    end: () => void child.kill(),
  }
}
