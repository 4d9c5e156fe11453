import { spawn } from 'node:child_process'
import { Agent } from 'node:http'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '../errors.ts'
import type { Place } from './find.ts'

/** What it says last may come after its end. */
const LAST_WORDS_MS = 50

type Way = Extract<Place, { kind: 'ssh' }>

/**
 * Connections to an engine by the user's own ssh, with all that it is configured to do: keys, jumps, known hosts. The
 * client's library would open them by itself, and trust any host.
 */
export class SshAgent extends Agent {
  readonly #place: Way

  constructor(place: Way) {
    super({ keepAlive: true, keepAliveMsecs: 30_000 })
    this.#place = place
  }

  // The types ask for a net.Socket; whoever uses it needs a stream that may be told to stay open or not.
  override createConnection(): Duplex {
    return dial(this.#place)
  }
}

function dial(way: Way): Duplex {
  const { target, port, path } = way
  const socket = path === undefined ? [] : ['--host', `unix://${path}`]
  const args = ['-T', '-o', 'ConnectTimeout=30', '-o', 'ServerAliveInterval=15', ...(port === undefined ? [] : ['-p', String(port)]), '--', target, 'docker', ...socket, 'system', 'dial-stdio']
  const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  child.stdin.on('error', () => undefined)
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', (cause) => resolve(fail('tool_missing', 'ssh cannot be started', { hint: 'Install OpenSSH.', cause })))
    // Not when its streams are closed: a connection that it keeps for others has them still.
    child.once('exit', (code) => void delay(LAST_WORDS_MS).then(() => resolve(code === 0 || code === null ? undefined : explainSsh(said, code, way))))
  })
  const duplex = new Duplex({
    read: () => void child.stdout.resume(),
    // That it takes no more is said by its end, which knows why.
    write: (chunk: Buffer, _, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void (child.stdin.end(), done()),
    destroy: (error, done) => void (child.kill(), done(error)),
  })
  child.stdout.on('data', (chunk: Buffer) => void (duplex.push(chunk) || child.stdout.pause()))
  const silent = new Promise((resolve) => child.stdout.once('close', resolve))
  void Promise.all([ended, silent]).then(([failure]) => (failure ? duplex.destroy(failure) : duplex.push(null)))
  const idle = { ref: () => child.ref(), unref: () => child.unref(), setKeepAlive: () => duplex, setTimeout: () => duplex, setNoDelay: () => duplex }
  return Object.assign(duplex, idle)
}

/** From what ssh, and the docker command behind it, said. */
function explainSsh(said: string, status: number, { target, port, path }: Way): Error {
  const lines = said.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !/^@+$/.test(line))
  const last = lines.at(-1) ?? `status ${status}`
  const command = `ssh ${port === undefined ? '' : `-p ${port} `}${target}`
  const source = 'transport' as const
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said)) return fail('unauthorized', `the host key of ${target} is not the one that is known`, { hint: `If that is right: ssh-keygen -R ${port === undefined ? hostOf(target) : `'[${hostOf(target)}]:${port}'`}, then ${command}`, source })
  if (/Host key verification failed|No .* host key is known/.test(said)) return fail('unauthorized', `the host key of ${target} is not known`, { hint: `Look at it and accept it: ${command}`, source })
  if (/Permission denied|Too many authentication failures/.test(last) && status === 255) return fail('unauthorized', `ssh to ${target} is refused: ${last}`, { hint: `It must work without a question: ${command} true`, source })
  if (status === 127) return fail('tool_missing', `there is no docker command at ${target}: ${last}`, { hint: `Install it there. See: ${command} docker version`, source })
  if (/permission denied/.test(last)) return fail('permission_denied', `you may not use the Docker engine at ${target}: ${last}`, { hint: `Join its group there: ${command} 'sudo usermod -aG docker $USER'`, source })
  if (status !== 255) return fail('unavailable', `there is no Docker engine at ${target}: ${last}`, { hint: `See: ${command} docker ${path === undefined ? '' : `--host unix://${path} `}version`, source })
  return fail('unavailable', `ssh to ${target} failed: ${last}`, { hint: `Try it: ${command} docker version`, source })
}

function hostOf(target: string): string {
  return target.slice(target.indexOf('@') + 1)
}
