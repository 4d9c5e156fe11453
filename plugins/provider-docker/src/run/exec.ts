import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { ByteSource, ExitStatus, Process, SpawnOptions, TerminalSize } from '../../../../src/contract/index.ts'
import type { Client } from '../client.ts'
import { part } from '../engine/demux.ts'
import { explain } from '../engine/explain.ts'
import { firstLine, refusalOf, unstarted } from '../engine/handshake.ts'
import { fail, hasCode, throwIfAborted } from '../errors.ts'
import { Program, statusFrom } from './process.ts'

export interface ExecOptions extends SpawnOptions {
  readonly argv: readonly string[]
}

export interface Executed {
  readonly socket: Socket
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  resize(size: TerminalSize): Promise<void>
  close(): void
}

/** Lets the engine itself execute something in a container. */
export async function execute(client: Client, id: string, { argv, env = {}, cwd, user, tty }: ExecOptions): Promise<Executed> {
  return client.call(async (docker) => {
    const exec = await docker.getContainer(id).exec({
      Cmd: [...argv],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty !== undefined,
      Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
      ...(cwd !== undefined && { WorkingDir: cwd }),
      ...(user !== undefined && { User: user }),
    })
    // With `hijack` it is a socket, whose end is a half-close; the types do not say so.
    const socket = (await exec.start({ hijack: true, stdin: true, Tty: tty !== undefined })) as unknown as Socket
    const { stdout, stderr, ended } = part(socket, tty !== undefined)
    const resize = async ({ cols, rows }: TerminalSize) => {
      await exec.resize({ w: cols, h: rows })
    }
    if (tty) await resize(tty).catch(() => undefined)
    const exit = ended.then(async () => {
      socket.destroy()
      const { Running, ExitCode } = await client.call(() => exec.inspect())
      if (Running || ExitCode === null) throw fail('connection_lost', 'the engine lost sight of the program: how it ended is unknown', { source: 'transport' })
      return statusFrom(ExitCode)
    })
    exit.catch(() => undefined)
    return { socket, stdout: stdout.source, stderr: stderr.source, exit, resize, close: () => void socket.destroy() }
  })
}

const MARK = 'AMUX_EXEC'

/** The same as a process, for computers on which no guest can be. `init`: `amux-init` there, which tells whether it began, and signals it. */
export async function spawnByEngine(client: Client, name: string, init: string, options: ExecOptions): Promise<Process> {
  throwIfAborted(options.signal)
  const value = randomBytes(8).toString('hex')
  const done = await execute(client, name, { ...options, argv: [init, 'beside', '--', ...options.argv], env: { ...options.env, [MARK]: value } })
  const { stdout, stderr, exit } = await begun(done, options)
  return new Program({
    socket: done.socket,
    stdout,
    stderr,
    exit,
    signal: options.signal,
    async kill(number) {
      // As whoever runs it: root on a computer may not look at the environment of others.
      const { exit: told } = await execute(client, name, { argv: [init, 'signal', `${MARK}=${value}`, String(number)], ...(options.user !== undefined && { user: options.user }) })
      await told.catch((error: unknown) => {
        if (!hasCode(error, 'not_found', 'conflict')) throw explain(error, client.found)
      })
    },
    ...(options.tty && { resize: (size: TerminalSize) => done.resize(size) }),
  })
}

/** What it says of itself comes first; where the engine could not even start that, its words are all the output. */
async function begun({ stdout, stderr, exit }: Executed, { argv: [program = ''], tty }: ExecOptions): Promise<Pick<Process, 'stdout' | 'stderr' | 'exit'>> {
  const { line, rest } = await firstLine(tty ? stdout : stderr)
  if (line === 'started') return tty ? { stdout: rest, stderr, exit } : { stdout, stderr: rest, exit }
  const refusal = refusalOf(line)
  if (refusal) throw unstarted(refusal, program)
  let words = line ?? ''
  for await (const chunk of tty ? rest : stdout) words = (words + Buffer.from(chunk).toString()).slice(0, 2000)
  const text = words.trim() || 'the engine could not start it'
  throw fail(/unable to find (user|group)|no matching entries|chdir|cwd/i.test(text) ? 'not_found' : 'failed', text)
}
