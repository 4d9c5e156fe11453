import { spawn } from 'node:child_process'
import { Agent } from 'node:http'
import { Duplex } from 'node:stream'
import { fail } from '../errors.ts'
import type { Place } from './find.ts'

/**
 * Connections to an engine by the user's own ssh, with all that it is configured to do: keys, jumps, known hosts. The
 * client's library would open them by itself, and trust any host.
 */
export class SshAgent extends Agent {
  readonly #place: Extract<Place, { kind: 'ssh' }>

  constructor(place: Extract<Place, { kind: 'ssh' }>) {
    super({ keepAlive: true, keepAliveMsecs: 30_000 })
    this.#place = place
  }

  // The types ask for a net.Socket; whoever uses it needs a stream that may be told to stay open or not.
  override createConnection(): Duplex {
    return dial(this.#place)
  }
}

function dial({ target, port, path }: Extract<Place, { kind: 'ssh' }>): Duplex {
  const socket = path === undefined ? [] : ['--host', `unix://${path}`]
  const args = ['-T', '-o', 'ConnectTimeout=30', '-o', 'ServerAliveInterval=15', ...(port === undefined ? [] : ['-p', String(port)]), '--', target, 'docker', ...socket, 'system', 'dial-stdio']
  const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)))
  const duplex = Duplex.from({ readable: child.stdout, writable: child.stdin })
  child.once('error', (cause) => duplex.destroy(fail('tool_missing', 'ssh cannot be started', { hint: 'Install OpenSSH.', cause })))
  child.once('exit', (code) => {
    if (code === 0 || code === null) return
    duplex.destroy(fail('unavailable', `ssh to ${target} failed: ${said.trim().split('\n').at(-1) ?? `status ${code}`}`, { hint: `Try it: ssh ${target} docker version`, source: 'transport' }))
  })
  duplex.once('close', () => child.kill())
  const idle = { ref: () => child.ref(), unref: () => child.unref(), setKeepAlive: () => duplex, setTimeout: () => duplex, setNoDelay: () => duplex }
  return Object.assign(duplex, idle)
}
