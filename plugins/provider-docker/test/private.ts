import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LABEL } from '../src/names.ts'
import { found, smallImage } from './small-image.ts'

export const SMALL = 'amux-lab/small:latest'

export interface PrivateEngine {
  readonly dir: string
  /** Its socket, as in DOCKER_HOST. */
  readonly host: string
  docker(...args: readonly string[]): string
  end(): Promise<void>
}

export const mayStart = process.getuid?.() === 0 && found('dockerd') !== undefined
if (!mayStart) console.warn('\n!!! NO PRIVATE DOCKER ENGINES: it takes root and dockerd. Other storage drivers and engines elsewhere are not tested.\n')

let bridges = 0

/** A daemon without a bridge of its own takes away the one that is there, which is another engine's. */
function makeBridge(): string {
  const name = `amux${process.pid}b${++bridges}`
  execFileSync('ip', ['link', 'add', name, 'type', 'bridge'])
  execFileSync('ip', ['addr', 'add', `10.${200 + (bridges % 50)}.${process.pid % 250}.1/24`, 'dev', name])
  execFileSync('ip', ['link', 'set', name, 'up'])
  return name
}

/** One that touches nothing of the machine's own, with a network that leads nowhere, and with a small image. Undefined where it cannot start. */
export async function privateEngine(...args: readonly string[]): Promise<PrivateEngine | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'amux-engine-'))
  // An engine that maps users has its containers go through here as somebody else.
  chmodSync(dir, 0o711)
  const socket = join(dir, 'd.sock')
  const host = `unix://${socket}`
  const bridge = makeBridge()
  const log = openSync(join(dir, 'log'), 'w')
  const common = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid'), '-H', host, '--bridge', bridge, '--iptables=false']
  const child = spawn('dockerd', [...common, ...args], { stdio: ['ignore', log, log] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const docker = (...words: readonly string[]) => execFileSync('docker', ['-H', host, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOME: dir } }).trim()
  const end = async () => {
    child.kill('SIGTERM')
    await ended
    execFileSync('ip', ['link', 'del', bridge])
    execFileSync('sh', ['-c', `grep -o " ${dir}[^ ]*" /proc/mounts | sort -r | xargs -r umount -l`])
    rmSync(dir, { recursive: true, force: true })
  }
  for (const give = Date.now() + 60_000; ; await delay(100)) {
    try {
      docker('version')
      break
    } catch (error) {
      if (child.exitCode === null && Date.now() < give) continue
      const said = readFileSync(join(dir, 'log'), 'utf8').trim().split('\n').at(-1)
      await end()
      if (child.exitCode === null) throw error
      console.warn(`\n!!! NO DOCKER ENGINE WITH ${args.join(' ')}: ${said}\n`)
      return undefined
    }
  }
  docker('import', '--change', `LABEL ${LABEL.tools}=nftables`, '--change', 'ENV PATH=/usr/bin', smallImage(dir), SMALL)
  return { dir, host, docker, end }
}
