import type { AsideOptions, ByteSource, Computer, Process } from '../../contract/index.ts'
import { fail, hasCode } from '../../errors/index.ts'
import { collect } from '../../util/streams.ts'
import { type Answer, parseAnswer, parseToolFailure, type ToolFailure, toolError } from './answer.ts'

/** Where a program aside finds amux's own. */
const TOOLS = '/amux'
const LONGEST_LINE = 1024 * 1024
const MOST_STDERR = 64 * 1024

export interface ToolOptions extends AsideOptions {
  /** Words of its failures. Default: what the system calls it. */
  explain?(failure: ToolFailure): Error
}

export interface PreparedTool {
  begin(): Promise<Tool>
  leave(): Promise<void>
}

/** One of amux's own programs at work beside a computer. */
export class Tool {
  readonly #process: Process
  readonly #explain: (failure: ToolFailure) => Error
  readonly #stderr: Promise<string>
  #done = false

  private constructor(process: Process, options: ToolOptions) {
    this.#process = process
    this.#explain = options.explain ?? toolError
    // Read from the start: a program that writes there must not wait for us.
    this.#stderr = collect(process.stderr, MOST_STDERR).then(String, () => '')
  }

  static async start(computer: Pick<Computer, 'aside' | 'name'>, [name, ...args]: readonly [string, ...string[]], options: ToolOptions = {}): Promise<Tool> {
    const { explain: _, ...aside } = options
    const process = await computer.aside?.([`${TOOLS}/${name}`, ...args], aside)
    if (process === undefined) throw fail('unsupported', `${computer.name} lets nothing work beside it`)
    return new Tool(process, options)
  }

  /** For one that is to change a disk: what takes its time before the computer was stopped. Undefined where nothing does. */
  static async prepare(computer: Pick<Computer, 'prepareAside' | 'name'>, [name, ...args]: readonly [string, ...string[]], options: ToolOptions = {}): Promise<PreparedTool | undefined> {
    const { explain: _, ...aside } = options
    const prepared = await computer.prepareAside?.([`${TOOLS}/${name}`, ...args], aside)
    return prepared && { begin: async () => new Tool(await prepared.begin(), options), leave: () => prepared.leave() }
  }

  /** It may have ended already: then its answers say why. */
  async send(text: string | Uint8Array): Promise<void> {
    await this.#process.stdin.write(typeof text === 'string' ? Buffer.from(text) : text).catch(() => undefined)
  }

  async end(): Promise<void> {
    await this.#process.stdin.end().catch(() => undefined)
  }

  async kill(): Promise<void> {
    await this.#process.kill('SIGKILL').catch(() => undefined)
  }

  /** What it says, to its end; throws what it says went wrong. Leaving early ends it, but after `done` it does so by itself. */
  async *answers(): AsyncGenerator<Answer, void> {
    for await (const line of this.lines()) {
      const answer = parseAnswer(line)
      const failure = parseToolFailure(answer)
      if (failure) throw this.#explain(failure)
      this.#done ||= answer.word === 'done'
      yield answer
    }
  }

  /** The same before it is taken apart. */
  lines(): AsyncGenerator<string, void> {
    return this.#whole(split(this.#process.stdout))
  }

  /** Bytes instead of lines; its failures come on stderr then. */
  bytes(): AsyncGenerator<Uint8Array, void> {
    return this.#whole(this.#process.stdout)
  }

  async *#whole<T>(source: AsyncIterable<T>): AsyncGenerator<T, void> {
    let over = false
    try {
      yield* source
      await this.#ended()
      over = true
    } finally {
      if (!over && !this.#done) await this.kill()
    }
  }

  async #ended(): Promise<void> {
    const exit = await this.#process.exit
    if (exit.code === 0) return
    const said = await this.#stderr
    const failure = said.split('\n').map((line) => parseToolFailure(parseAnswer(line))).find((one) => one !== undefined)
    if (failure) throw this.#explain(failure)
    if (exit.signal !== undefined) throw fail('unavailable', `amux's own helper was ended by ${exit.signal}`, { hint: 'Try again.', cause: exit })
    throw fail('failed', `amux's own helper ended with status ${exit.code}${said.trim() === '' ? '' : `: ${said.trim().split('\n').at(-1) ?? ''}`}`)
  }
}

/** Whether one was ended from outside: what works beside a computer may end when that is stopped. */
export function wasEnded(error: unknown): boolean {
  return hasCode(error, 'unavailable') && error instanceof Error && error.cause instanceof Object && 'signal' in error.cause
}

interface RunOptions {
  readonly input?: string
  onAnswer?(answer: Answer): void
}

/** Runs one to its end, and gives its last answer. */
export async function runTool(computer: Pick<Computer, 'aside' | 'name'>, argv: readonly [string, ...string[]], options: ToolOptions & RunOptions = {}): Promise<Answer> {
  const { input, onAnswer, ...rest } = options
  return finishTool(await Tool.start(computer, argv, rest), { ...(input !== undefined && { input }), ...(onAnswer && { onAnswer }) })
}

/** The same of one that has begun. */
export async function finishTool(tool: Tool, { input, onAnswer }: RunOptions): Promise<Answer> {
  if (input !== undefined) await tool.send(input)
  await tool.end()
  let last: Answer = { word: '', fields: [] }
  for await (const answer of tool.answers()) {
    onAnswer?.(answer)
    last = answer
  }
  return last
}

async function* split(source: ByteSource): AsyncGenerator<string, void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    let from = 0
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      yield rest.toString('utf8', from, end)
      from = end + 1
    }
    rest = rest.subarray(from)
    if (rest.length > LONGEST_LINE) throw fail('corrupt', 'amux\'s own helper said an endless line')
  }
  if (rest.length > 0) yield rest.toString()
}
