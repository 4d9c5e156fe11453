import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

/** An engine's socket behind something that does not let everything through, as its authorization plugins do. */
export interface Guarded {
  /** As in DOCKER_HOST. */
  readonly host: string
  /** Of what was refused, the paths. */
  readonly refused: string[]
  /** Answers the next request whose line has this with that status, once. */
  breakNext(line: RegExp, status: number): void
  end(): Promise<void>
}

interface Wanted {
  readonly HostConfig?: { readonly CapAdd?: readonly string[] | null; readonly PidMode?: string; readonly Privileged?: boolean; readonly Mounts?: readonly { readonly Type: string; readonly Source: string }[] }
}

/** No more power for a container than by default, no namespaces of others, nothing of the engine's own directory. */
function isAllowed({ HostConfig: { CapAdd, PidMode = '', Privileged = false, Mounts = [] } = {} }: Wanted): boolean {
  return (CapAdd ?? []).length === 0 && PidMode === '' && !Privileged && !Mounts.some(({ Type, Source }) => Type === 'bind' && Source.startsWith('/var/lib/docker'))
}

/** As Podman does: it says what it is, and makes volumes along with a container without the labels that were said for them. */
function forget(message: IncomingMessage, body: Buffer): Buffer {
  if (!message.url?.includes('/containers/create')) return body
  return Buffer.from(JSON.stringify(JSON.parse(body.toString()), (key, value: unknown) => (key === 'VolumeOptions' ? undefined : value)))
}

async function renamed(answer: IncomingMessage): Promise<Buffer> {
  return Buffer.from(JSON.stringify({ ...(JSON.parse((await buffer(answer)).toString()) as object), Components: [{ Name: 'Podman Engine' }] }))
}

/** `forgetful`: everything is let through, to what passes for Podman. */
export async function guarded(socketPath: string, forgetful = false): Promise<Guarded> {
  const dir = mkdtempSync(join(tmpdir(), 'amux-guarded-'))
  const at = join(dir, 'd.sock')
  const refused: string[] = []
  const agent = new Agent({ keepAlive: false })
  let broken: { readonly line: RegExp; readonly status: number } | undefined
  const passes = ({ url = '' }: IncomingMessage, body: Buffer): boolean => {
    if (forgetful || !url.includes('/containers/create') || isAllowed(JSON.parse(body.toString()) as Wanted)) return true
    refused.push(url)
    return false
  }
  const server = createServer((message, response) => {
    const deny = (status: number, words: string) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message: words }))
    const forward = (body?: Buffer) => {
      // Word for word an engine may have answered before the last of it, and be gone.
      const { 'transfer-encoding': _, ...plain } = message.headers
      const headers = body ? { ...plain, 'content-length': String(body.length) } : message.headers
      const on = request({ socketPath, agent, method: message.method, path: message.url, headers }, (answer) => {
        if (forgetful && message.url?.endsWith('/version')) return void renamed(answer).then((said) => response.writeHead(200, { 'content-type': 'application/json' }).end(said))
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        response.flushHeaders()
        answer.pipe(response)
        response.once('close', () => answer.destroy())
      })
      on.on('error', () => response.destroy())
      if (body) on.end(body)
      else message.pipe(on)
    }
    if (broken?.line.test(`${message.method} ${message.url}`)) {
      deny(broken.status, 'out of order')
      broken = undefined
    } else if (message.headers['content-type'] === 'application/json') {
      buffer(message).then((body) => (passes(message, body) ? forward(forgetful ? forget(message, body) : body) : deny(403, 'authorization denied by plugin lab: not for you')), () => response.destroy())
    } else forward()
  })
  server.on('upgrade', (message, socket, head) => {
    const on = connect(socketPath)
    const headers = Object.entries(message.headers).map(([key, value]) => `${key}: ${String(value)}\r\n`)
    on.write(`${message.method} ${message.url} HTTP/1.1\r\n${headers.join('')}\r\n`)
    on.write(head)
    on.pipe(socket).pipe(on)
    for (const [one, other] of [[on, socket], [socket, on]] as const) one.on('error', () => other.destroy())
  })
  await new Promise<void>((resolve) => server.listen(at, resolve))
  return {
    host: `unix://${at}`,
    refused,
    breakNext: (line, status) => void (broken = { line, status }),
    async end() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
