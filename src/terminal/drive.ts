import type { Attachment, ExitStatus } from '../contract/index.ts'
import { deferred } from '../util/deferred.ts'
import { once } from '../util/once.ts'
import type { Key } from './detach-keys.ts'
import { Interrupts } from './interrupt.ts'
import { type EndSignal, type Local, onEndSignals, processLocal } from './local.ts'
import { LocalSink } from './output.ts'
import { openPipes } from './pipes.ts'
import { openScreen } from './screen.ts'
import { exitCode } from './status.ts'
import { escalate, within } from './stop.ts'

export interface DriveOptions {
  readonly attachment: Attachment
  /** Its input: ours, an end of file at once, or nothing, which leaves it as it is. A terminal's keys always count. */
  readonly input: 'pass' | 'end' | 'none'
  /** Only look: it is not slowed, typed into, resized or ended. */
  readonly readOnly?: boolean
  readonly detachKeys: readonly Key[]
  /** What to type to get back in. Undefined: leaving ends it. */
  readonly attachCommand: string | undefined
  /** One line for people. */
  say(text: string): void
  /** Its firing ends the program: the time limit. */
  readonly signal?: AbortSignal | undefined
  readonly local?: Local
  /** Who else listens to signals in this process hands them over here. */
  readonly onEnd?: (handler: (signal: EndSignal) => void) => () => void
}

export type Leave = (status: number, message: string) => void

/** How the program is met here. */
export interface Front {
  /** Sees output before it is written. */
  readonly see: ((chunk: Uint8Array) => void) | undefined
  /** Output can no longer be written. */
  onBroken(over: Promise<unknown>): void
  /** Resolves once nobody but this process reads and writes here. */
  settle?(): Promise<void> | undefined
  /** Tells whether the cursor stays within a line. */
  close(): boolean
}

/** Left, while the program goes on. */
interface Leaving {
  readonly status: number
  readonly message: string
}

const numbers: { readonly [signal in EndSignal]: number } = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 }
const DETACH_LIMIT = 1000
const LAST_WORDS_MS = 1000
const SETTLE_MS = 3000

/**
 * Connects a running program with the local terminal or pipes until it ends or is left. Returns the exit status for
 * the shell; by then every byte of output is with the system and the terminal is as it was.
 */
export async function drive(options: DriveOptions): Promise<number> {
  const { attachment, local = processLocal, signal } = options
  const sinks = [new LocalSink(local.stdout), new LocalSink(local.stderr)] as const
  const left = deferred<Leaving>()
  const leave: Leave = (status, message) => left.resolve({ status, message })
  const front = attachment.session.tty ? openScreen(options, local, leave) : openPipes(options, local, leave)
  const release = (options.onEnd ?? onEndSignals)(endHandler(options, leave))
  const limit = firing(signal)
  listen(options, leave)
  const close = once(async () => {
    await within(Promise.resolve(front.settle?.()), SETTLE_MS)
    release()
    limit.cancel()
    const inLine = front.close()
    for (const sink of sinks) sink.release()
    return inLine
  })
  try {
    const over = follow(attachment, sinks, front)
    over.catch(() => undefined)
    const outcome = await Promise.race([over, left.promise, limit.promise])
    if (outcome === undefined) {
      await escalate(attachment, over, ['SIGTERM', 'SIGKILL'])
      throw signal?.reason
    }
    const inLine = await close()
    if ('message' in outcome) return await depart(options, outcome, inLine)
    for (const { failure } of sinks) if (failure !== undefined) throw failure
    return exitCode(outcome)
  } catch (error) {
    await close()
    throw error
  }
}

/** Settles when the program ended and all it said was written. Where nobody knows its end, what it said is shown first. */
function follow(attachment: Attachment, [stdout, stderr]: readonly [LocalSink, LocalSink], front: Front): Promise<ExitStatus> {
  const onBroken = (): void => front.onBroken(over)
  const outputs = [stdout.take(attachment.stdout, onBroken, front.see), stderr.take(attachment.stderr, onBroken)]
  const written = Promise.all(outputs)
  const exit = attachment.exit.catch(async (error: unknown) => {
    await within(written, LAST_WORDS_MS)
    throw error
  })
  const over = Promise.all([exit, written]).then(([status]) => status)
  return over
}

function endHandler({ attachment, say, readOnly = false }: DriveOptions, leave: Leave): (signal: EndSignal) => void {
  const interrupts = new Interrupts()
  return (signal) => {
    if (signal === 'SIGINT' && !readOnly && interrupts.next() === 'program') attachment.kill(signal).catch(() => say('amux: the program could not be interrupted'))
    else leave(numbers[signal], signal === 'SIGINT' ? 'detached: the program goes on' : `${signal}: the program goes on`)
  }
}

function listen({ attachment, say }: DriveOptions, leave: Leave): void {
  const { tty } = attachment.session
  attachment.onSkipped = (bytes, stream) => {
    if (!tty) say(`amux: ${bytes} bytes of ${stream} were skipped`)
  }
  attachment.onDisowned = () => {
    if (tty) leave(0, 'another client took over')
    else say('amux: another client took over, this one only looks on')
  }
}

async function depart({ attachment, attachCommand, say, local = processLocal }: DriveOptions, { status, message }: Leaving, inLine: boolean): Promise<number> {
  await within(attachment.detach(), DETACH_LIMIT)
  if (inLine) local.stderr.write('\n')
  say(attachCommand === undefined ? 'amux: the program was ended: nobody could come back to it' : `amux: ${message}; back in with: ${attachCommand}`)
  return status
}

function firing(signal: AbortSignal | undefined): { readonly promise: Promise<undefined>; cancel(): void } {
  const fired = deferred<undefined>()
  const onAbort = (): void => fired.resolve(undefined)
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort)
  return { promise: fired.promise, cancel: () => signal?.removeEventListener('abort', onAbort) }
}
