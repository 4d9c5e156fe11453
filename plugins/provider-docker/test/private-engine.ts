import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { smallImage } from './small-image.ts'

export const TINY = 'amux-lab/tiny:latest'

/** An engine of the test's own, on a small disk of its own, that can be killed. Needs root. */
export class PrivateEngine {
  readonly dir = mkdtempSync(join(tmpdir(), 'amux-own-engine-'))
  readonly host = `unix://${this.dir}/d.sock`
  #daemon: ChildProcess | undefined

  /** `megabytes`: all that containers, volumes and images of it may take. */
  static async make(megabytes: number): Promise<PrivateEngine> {
    const engine = new PrivateEngine()
    const disk = join(engine.dir, 'disk')
    mkdirSync(engine.data)
    execFileSync('truncate', ['-s', `${megabytes}M`, disk])
    execFileSync('mkfs.ext4', ['-q', '-m', '0', disk])
    execFileSync('mount', ['-o', 'loop', disk, engine.data])
    await engine.start()
    engine.docker('import', smallImage(engine.dir), TINY)
    return engine
  }

  get data(): string {
    return join(this.dir, 'data')
  }

  /** One that was killed leaves things behind that the next one may stumble over, once. */
  async start(...more: readonly string[]): Promise<void> {
    for (let tries = 0; tries < 3; tries++) if (await this.#begun(more)) return
    throw new Error(`the test's own dockerd does not start:\n${readFileSync(join(this.dir, 'log'), 'utf8').slice(-2000)}`)
  }

  async #begun(more: readonly string[]): Promise<boolean> {
    rmSync(join(this.dir, 'pid'), { force: true })
    const log = openSync(join(this.dir, 'log'), 'a')
    const where = ['--data-root', this.data, '--exec-root', join(this.dir, 'exec'), '--pidfile', join(this.dir, 'pid'), '-H', this.host]
    // A daemon without a bridge takes away the one that is there, which is another engine's.
    const daemon = spawn('unshare', ['--net', 'dockerd', ...where, '--bridge=none', '--iptables=false', '--storage-driver=overlay2', ...more], { stdio: ['ignore', log, log] })
    this.#daemon = daemon
    for (const give = Date.now() + 90_000; Date.now() < give && daemon.exitCode === null; await delay(50)) if (await this.#answers()) return true
    return false
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill(signal)
    await ended
    if (signal === 'SIGTERM') return
    // It takes its containerd along, for whose end, not yet noticed by this machine, the next one would wait 15 s.
    const file = join(this.dir, 'exec/containerd/containerd.pid')
    for (const pid = readFileSync(file, 'utf8'); alive(pid); ) await delay(10)
    rmSync(file)
  }

  docker(...args: readonly string[]): string {
    return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DOCKER_HOST: this.host } }).trim()
  }

  async end(): Promise<void> {
    await this.stop('SIGTERM')
    // What ran when a daemon was killed still does.
    execFileSync('sh', ['-c', `pkill -9 -f '[c]ontainerd.*${this.dir}/' || true`])
    for (let tries = 0; tries < 50; tries++, await delay(100)) {
      try {
        for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n').toReversed()) {
          const [, at = ''] = line.split(' ')
          if (at.startsWith(`${this.dir}/`)) execFileSync('umount', ['-l', at], { stdio: 'ignore' })
        }
        return rmSync(this.dir, { recursive: true, force: true })
      } catch (error) {
        if (tries === 49) throw error
      }
    }
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request({ socketPath: join(this.dir, 'd.sock'), path: '/_ping' }, (answer) => resolve((answer.resume(), answer.statusCode === 200)))
      asked.once('error', () => resolve(false)).end()
    })
  }
}

function alive(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}
