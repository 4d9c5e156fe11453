import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import type { AmuxError, ByteSink, ByteSource, ErrorCode, ExitStatus, Process, TerminalSize } from '../../../src/contract/index.ts'
import { boxPath } from './box.ts'
import { fail, parseFailure, type StepFailure } from './errors.ts'

export interface BoxProcessOptions {
  /** What the helper is told: its command and everything after it. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly computer: string
  /** What `aside` is to mount first. */
  readonly plan?: string
  /** It has a terminal. */
  readonly tty?: boolean
  readonly signal?: AbortSignal
}

/** A program under the helper's eyes. The helper tells how it fared on descriptor 3 and takes signals and sizes there. */
export async function startProcess(options: BoxProcessOptions): Promise<Process> {
  if (options.signal?.aborted) throw aborted()
  // Away from our terminal: its Ctrl-C is for us, who say what becomes of the program.
  const child = spawn(boxPath(), options.args, { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'], env: options.env, detached: true })
  // Somebody listens from the start: Node throws away what a program wrote that ended before anybody read.
  for (const stream of [child.stdout, child.stderr]) stream?.on('readable', () => undefined)
  const [, , , control, plan] = child.stdio as unknown as Duplex[]
  if (control === undefined || plan === undefined) throw fail('internal', 'a pipe is missing')
  plan.on('error', () => undefined)
  plan.end(options.plan ?? '')
  const story = follow(child, control)
  const outcome = await story.started
  if (outcome !== undefined) throw explain(outcome, options.computer)
  return new BoxProcess(child, control, story.ended, options)
}

interface Story {
  /** Settles with what went wrong, or nothing. */
  readonly started: Promise<StepFailure | undefined>
  readonly ended: Promise<ExitStatus>
}

function deferred<T>() {
  let settle: { resolve(value: T): void; reject(error: unknown): void } | undefined
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, resolve: (value: T) => settle?.resolve(value), reject: (error: unknown) => settle?.reject(error) }
}

function follow(child: ChildProcess, control: Duplex): Story {
  const started = deferred<StepFailure | undefined>()
  const ended = deferred<ExitStatus>()
  ended.promise.catch(() => undefined)
  const take = (line: string) => {
    const [word, value] = line.split(' ')
    const failure = parseFailure(line)
    if (failure) started.resolve(failure)
    else if (word === 'started') started.resolve(undefined)
    else if (word === 'exit') ended.resolve({ code: Number(value) })
    else if (word === 'signal') ended.resolve({ signal: signalName(Number(value)) })
  }
  let rest = ''
  control.on('error', () => undefined)
  control.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  control.on('close', () => {
    started.resolve({ errno: '', step: 'helper', subject: '', text: 'ended without an answer' })
    ended.reject(fail('connection_lost', 'the program was lost sight of: how it ended is unknown', { source: 'transport' }))
  })
  child.once('error', (error) => {
    started.reject(error)
    ended.reject(error)
  })
  return { started: started.promise, ended: ended.promise }
}

class BoxProcess implements Process {
  readonly stdin: ByteSink
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly exit: Promise<ExitStatus>
  readonly #control: Duplex
  readonly #tty: boolean

  constructor(child: ChildProcess, control: Duplex, ended: Promise<ExitStatus>, options: BoxProcessOptions) {
    this.stdin = sink(child)
    this.stdout = source(child.stdout)
    this.stderr = source(child.stderr)
    this.#control = control
    this.#tty = options.tty ?? false
    this.exit = untilAborted(ended, options.signal, () => this.#signal(constants.signals.SIGKILL))
    this.exit.catch(() => undefined)
  }

  async kill(signal = 'SIGTERM'): Promise<void> {
    const number = new Map<string, number>(Object.entries(constants.signals)).get(signal)
    if (number === undefined) throw fail('invalid_argument', `there is no signal ${signal}`, { source: 'amux' })
    this.#signal(number)
  }

  async resize(size: TerminalSize): Promise<void> {
    if (!this.#tty) throw fail('invalid_argument', 'it has no terminal', { source: 'amux' })
    const command = Buffer.alloc(5)
    command.write('r')
    command.writeUInt16BE(size.cols, 1)
    command.writeUInt16BE(size.rows, 3)
    this.#command(command)
  }

  #signal(number: number): void {
    this.#command(Buffer.from(['s'.charCodeAt(0), number, 0, 0, 0]))
  }

  #command(bytes: Buffer): void {
    if (this.#control.writable) this.#control.write(bytes)
  }
}

function untilAborted(ended: Promise<ExitStatus>, signal: AbortSignal | undefined, kill: () => void): Promise<ExitStatus> {
  if (signal === undefined) return ended
  return new Promise((resolve, reject) => {
    const stop = () => {
      kill()
      reject(aborted())
    }
    signal.addEventListener('abort', stop, { once: true })
    ended.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject)
    if (signal.aborted) stop()
  })
}

function sink(child: ChildProcess): ByteSink {
  const stream = child.stdin
  let broken: Error | undefined
  stream?.on('error', (error) => (broken = error))
  const gone = () => fail('connection_lost', 'the program does not read its input any more', { source: 'program', cause: broken })
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        if (!stream?.writable) return reject(gone())
        stream.write(chunk, (error) => (error ? reject(gone()) : resolve()))
      }),
    end: () => new Promise((resolve) => (stream && !stream.destroyed && !stream.writableEnded ? stream.end(() => resolve()) : resolve())),
  }
}

async function* source(stream: NodeJS.ReadableStream | null): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of stream ?? []) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `SIG${number}`
}

function aborted(): AmuxError {
  return fail('aborted', 'gave up before it was done', { source: 'amux' })
}

const stages: Readonly<Record<string, (failure: StepFailure) => ErrorCode>> = {
  gone: () => 'not_running',
  busy: () => 'locked',
  user: (failure) => (failure.errno === 'ENOENT' ? 'not_found' : 'unsupported'),
  cwd: (failure) => (failure.errno === 'EACCES' ? 'permission_denied' : 'not_found'),
  exec: (failure) => (failure.errno === 'ENOENT' || failure.errno === 'ENOTDIR' ? 'program_not_found' : 'program_not_executable'),
}

const told: Readonly<Record<string, (subject: string) => string>> = {
  gone: () => 'it does not run',
  busy: () => 'it is starting or something else works on its disk',
  user: (subject) => `cannot be user ${subject}`,
  cwd: (subject) => `cannot work in ${subject}`,
  exec: (subject) => subject,
}

function explain(failure: StepFailure, computer: string): AmuxError {
  // What was to be joined or looked at has just ended.
  if (failure.errno === 'ESRCH') return fail('not_running', `${computer} does not run any more`, { computer, source: 'provider' })
  const code = stages[failure.step]?.(failure) ?? 'failed'
  const subject = told[failure.step]?.(failure.subject) ?? `${failure.step} ${failure.subject}`.trim()
  return fail(code, `${subject}: ${failure.text}`, { computer, source: failure.step === 'exec' ? 'program' : 'provider' })
}
