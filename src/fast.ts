import type { Sessions } from './contract/index.ts'
import { report } from './cli/failure.ts'
import { Interrupt } from './cli/interrupt.ts'
import { translate } from './cli/usage.ts'
import { type FlagTable, type FlagValues, parseFlags } from './cli/verbs/argv.ts'
import { copyOf, isStreamed } from './cli/verbs/copy-words.ts'
import { attach, exec, needsPlace, programWords, shell } from './cli/verbs/exec.ts'
import { findAgent } from './agents/roster.ts'
import { attachCommand, onEnd, onConnection } from './cli/verbs/around.ts'
import { run, type RunHost } from './cli/verbs/run.ts'
import { attachTable, copyTable, execTable, type globalTable, type RunFlags, runTable, shellTable } from './cli/verbs/tables.ts'
import { resumes, takesBack } from './cli/verbs/take-back.ts'
import { flushed, watchOutput } from './cli/written.ts'
import { directSessions } from './emulation/client/direct.ts'
import { orWoken } from './emulation/client/silence.ts'
import type { GuestClient } from './emulation/client/index.ts'
import type { Endpoint } from './emulation/endpoint.ts'
import { fail, hasCode, normalise } from './errors/index.ts'
import { isPlaced } from './project/directory.ts'
import { recall } from './registry/fast.ts'
import { parseDuration } from './util/duration.ts'
import { once } from './util/once.ts'
import { clean, json } from './util/text.ts'

type GlobalFlags = FlagValues<typeof globalTable>

interface Selected {
  readonly computer?: string | undefined
  readonly provider?: string | undefined
}

interface FastHost extends RunHost {
  readonly signal: AbortSignal
  /** All that a guest can do, for what is not about sessions. Once it has answered, nothing is tried the ordinary way any more. */
  guest(): Promise<GuestClient>
}

interface Call {
  readonly flags: GlobalFlags & Selected
  run(host: FastHost): Promise<number>
  /** It must not meet other files than those one stands in. */
  readonly here?: boolean
  /** The exit status tells of amux itself, not of a program. */
  readonly own?: boolean
}

/** A call, and what was typed for it: `amux computer exec`. */
interface Typed extends Call {
  readonly command: string
}

/** Of the words behind `computer`, those that may be answered here. */
const verbs: Readonly<Record<string, (own: readonly string[], remote: readonly string[] | undefined) => Call | undefined>> = {
  exec(own, remote) {
    const parsed = read(execTable, own)
    if (parsed === undefined) return undefined
    const words = programWords(remote, parsed.rest)
    return { flags: parsed.flags, here: needsPlace(parsed.flags), run: (host) => exec(parsed.flags, words, host) }
  },
  shell(own, remote) {
    const parsed = read(shellTable, own)
    if (parsed === undefined || parsed.rest.length > 0 || remote !== undefined) return undefined
    return { flags: parsed.flags, here: needsPlace(parsed.flags), run: (host) => shell(parsed.flags, host) }
  },
  attach(own, remote) {
    // Its flags may stand behind the session.
    const first = own[0]
    const session = first?.startsWith('-') === false ? first : undefined
    const flags = session === undefined ? own : own.slice(1)
    const parsed = read(attachTable, flags)
    if (parsed === undefined || remote !== undefined) return undefined
    const [behind, ...more] = parsed.rest
    if (more.length > 0 || (behind !== undefined && session !== undefined)) return undefined
    return { flags: parsed.flags, run: (host) => attach(parsed.flags, session ?? behind, host) }
  },
  cp(own, remote) {
    const parsed = read(copyTable, own)
    return parsed === undefined || remote !== undefined ? undefined : copying(parsed)
  },
  run(own, remote = []) {
    // Without a name of its own, the program is the first word behind the --.
    const named = own[0]?.startsWith('-') === false
    const [name, ...words] = named ? [own[0] ?? '', ...remote] : remote
    const parsed = name === undefined ? undefined : read(runTable, named ? own.slice(1) : own)
    return parsed && running(name ?? '', parsed, words)
  },
}

/** `computer cp`, but for a stream. */
function copying({ flags, rest }: { readonly flags: GlobalFlags & Selected; readonly rest: readonly string[] }): Call | undefined {
  const [source = '-', target = '-', ...more] = rest
  if (more.length > 0 || [source, target].some((word) => word.startsWith('-'))) return undefined
  const what = copyOf(source, target)
  if (isStreamed(what)) return undefined
  return {
    flags: { ...flags, computer: what.computer ?? flags.computer },
    here: !isPlaced(what.path),
    own: true,
    run: async (host) => (await import('./fast-copy.ts')).fastCopy(what, flags, await host.guest(), host),
  }
}

/** `computer run NAME`, `NAME`. */
function running(name: string, { flags, rest }: { readonly flags: GlobalFlags & RunFlags; readonly rest: readonly string[] }, remote: readonly string[]): Call | undefined {
  if (rest.length > 0) return undefined
  return { flags, here: needsPlace(flags), run: (host) => run(flags, name, remote, host) }
}

const words: Readonly<Record<string, string>> = { cp: 'cp', exec: 'exec', x: 'exec', shell: 'shell', console: 'shell', connect: 'shell', attach: 'attach', run: 'run' }

/**
 * The hot way: a verb on a computer whose guest is known, without loading what other commands need. False: nothing
 * happened, go the ordinary way. It does not return otherwise, but ends the process.
 */
export async function tryFast(argv: readonly string[]): Promise<boolean> {
  const call = understood(argv)
  const known = call && recall(call.flags)
  if (call === undefined || known === undefined || (call.here && known.away)) return false
  const { flags } = call
  const say = (text: string): void => void process.stderr.write(`${clean(text)}\n`)
  const interrupt = new Interrupt()
  if (flags.timeout !== undefined) interrupt.limit(parseDuration(flags.timeout))
  const wake = once(() => startOrdinarily(known.endpoint, interrupt.signal))
  const sessions = directSessions({ endpoint: known.endpoint, onConnection: onConnection(say), others: () => others(known.endpoint), wake })
  let met = false
  const host: FastHost = {
    sessions,
    async guest() {
      const guest = await clientOf(known.endpoint)
      await orWoken(guest.connection(interrupt.signal), wake)
      met = true
      return guest
    },
    computer: { name: known.endpoint.computer, spawn: (argv, options) => sessions.start(argv, options) },
    // It takes the provider, a download and progress to be shown: the ordinary way.
    install: () => Promise.reject(fail('unavailable', 'it is not installed')),
    takesBack: (session, title) => takesBack(session, title, { yes: flags.yes === true, signal: interrupt.signal }),
    resumes: (session, title, hint) => resumes(session, title, hint, { yes: flags.yes === true, signal: interrupt.signal, say }),
    // So does a checkpoint.
    prepare: async (_, auto) => {
      if (auto !== undefined || known.auto) throw fail('unavailable', 'a checkpoint is to be made first')
    },
    attachCommand: attachCommand(known.endpoint.computer),
    directory: known.directory,
    signal: interrupt.signal,
    say,
    print(document, text) {
      watchOutput()
      process.stdout.write(`${flags.json === true ? json(document, 2) : clean(text())}\n`)
    },
    onEnd: onEnd((handler) => interrupt.take(handler)),
  }
  process.once('beforeExit', unfinished)
  const status = await call.run(host).catch((error: unknown) => (!met && stale(error) ? undefined : failed(error, interrupt, call)))
  if (status === undefined) {
    interrupt.release()
    process.off('beforeExit', unfinished)
    return false
  }
  const [problem] = await Promise.all([flushed(), sessions.finish()])
  process.exit(problem === undefined || status !== 0 ? status : failed(problem, interrupt, call))
}

/** What else there is to know about sessions is asked over HTTP/2. */
async function others(endpoint: Endpoint): Promise<Sessions> {
  return (await clientOf(endpoint)).sessions
}

async function clientOf(endpoint: Endpoint): Promise<GuestClient> {
  const { connectEndpoint } = await import('./emulation/endpoint.ts')
  return connectEndpoint(endpoint)
}

/** By a process of its own: all that it takes would have to be here otherwise. */
async function startOrdinarily({ provider, computer }: Endpoint, signal: AbortSignal): Promise<void> {
  const { promisify } = await import('node:util')
  const { execFile } = await import('node:child_process')
  const words = ['computer', 'start', computer, '-P', provider, '--json']
  await promisify(execFile)(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], { signal }).catch((error: unknown) => {
    throw fail('connection_lost', `the computer does not answer, and cannot be woken: ${reasonIn(error)}`)
  })
}

/** What a command says with `--json`. */
function reasonIn(error: unknown): string {
  try {
    const { stdout } = error as { readonly stdout: string }
    return (JSON.parse(stdout) as { readonly error: { readonly message: string } }).error.message
  } catch {
    return normalise(error).message
  }
}

/** Nothing is left that could still happen: a defect, never a success. */
function unfinished(): void {
  process.exit(report(fail('internal', 'waited for something that cannot come; the program may still run', { hint: 'amux computer session ls' }), { json: false, passThrough: true }))
}

function understood(argv: readonly string[]): Typed | undefined {
  const [topic, word, ...rest] = findAgent(argv[0] ?? '') ? ['computer', 'run', ...argv] : argv
  const verb = word !== undefined && Object.hasOwn(words, word) ? words[word] : undefined
  if ((topic !== 'computer' && topic !== 'sandbox') || verb === undefined) return undefined
  const cut = rest.indexOf('--')
  try {
    const call = cut < 0 ? verbs[verb]?.(rest, undefined) : verbs[verb]?.(rest.slice(0, cut), rest.slice(cut + 1))
    return call && { ...call, command: topic === argv[0] ? `amux ${topic} ${verb}` : `amux ${argv[0]}` }
  } catch {
    // What is wrong is said the ordinary way.
    return undefined
  }
}

function read<T extends FlagTable>(table: T, argv: readonly string[]) {
  const parsed = parseFlags(table, argv)
  const { timeout }: GlobalFlags = parsed?.flags ?? {}
  if (timeout !== undefined) parseDuration(timeout)
  return parsed
}

/** It is no longer the guest one knew: nothing was done. */
function stale(error: unknown): boolean {
  return hasCode(error, 'unavailable', 'conflict')
}

function failed(error: unknown, { signal }: Interrupt, { command, flags, own = false }: Typed): number {
  const reason: unknown = signal.aborted && hasCode(error, 'aborted', 'connection_lost', 'timeout') ? signal.reason : error
  return report(translate(reason, { command, flags: [], selection: flags }), { json: flags.json === true, passThrough: !own })
}
