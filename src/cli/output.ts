import { fail } from '../errors/index.ts'
import { clean, cleanLine, json } from '../util/text.ts'
import { Progress } from './progress.ts'
import { type Columns, table } from './table.ts'

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
}

/** Thrown into a command that goes on writing after its reader left: ends it without a word. */
export const READER_GONE = 'EPIPE'

/** The one way to stdout and stderr: data on the first, everything else on the second. */
export class Output {
  json = false
  quiet = false
  readonly #progress = new Progress(process.stderr, process.env)
  #closed = false

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== READER_GONE) throw error
      this.#closed = true
    })
    // Nobody listens to what would be said: not worth failing for.
    process.stderr.on('error', () => undefined)
  }

  configure(options: OutputOptions): void {
    this.json = options.json
    this.quiet = options.quiet
  }

  /** The command's result: the document with `--json`, else the text. */
  data(document: unknown, text: () => string): void {
    this.#write(this.json ? json(document, 2) : clean(text()))
  }

  /** Rows as a table, or as a JSON array. `empty` is said on stderr when there are none. */
  table<T>(rows: readonly T[], columns: Columns<T>, empty?: string): void {
    if (this.json) this.#write(json(rows, 2))
    else if (rows.length > 0) this.#write(table(rows, columns))
    else if (empty !== undefined) this.note(empty)
  }

  /** One step of something that goes on: a line of JSON, or a line of text. */
  event(document: unknown, text: string): void {
    if (this.#closed) throw fail('aborted', 'the reader of stdout left', { cause: READER_GONE })
    this.#write(this.json ? json(document) : clean(text))
  }

  /** Bytes as they are, at the reader's pace. */
  async bytes(chunk: Uint8Array): Promise<void> {
    this.#progress.clear()
    if (this.#closed) throw fail('aborted', 'the reader of stdout left', { cause: READER_GONE })
    if (process.stdout.write(chunk)) return
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of ['drain', 'close', 'error']) process.stdout.off(event, done)
        resolve()
      }
      for (const event of ['drain', 'close', 'error']) process.stdout.on(event, done)
    })
  }

  /** For people, not with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.say(text)
  }

  /** Always said. */
  say(text: string): void {
    this.#progress.clear()
    process.stderr.write(`${clean(text)}\n`)
  }

  /** What takes time now. */
  progress(text: string): void {
    if (!this.quiet) this.#progress.show(cleanLine(text))
  }

  /** Leaves the terminal to somebody else. */
  settle(): void {
    this.#progress.clear()
  }

  #write(text: string): void {
    this.#progress.clear()
    if (!this.#closed) process.stdout.write(`${text}\n`)
  }
}

/** Resolves when all that was written is out. */
export async function flushed(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map(drained))
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })
}
