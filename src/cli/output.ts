import { clean, cleanLine, json } from '../util/text.ts'
import { Progress } from './progress.ts'
import { type Columns, table } from './table.ts'
import { refuse, unwritable } from './written.ts'

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
}

export interface TableOptions<T> {
  /** What a row is called: an id, a name, a port. A row without one is left out. */
  name(row: T): string | number | undefined
  /** Said on stderr when there are no rows. */
  readonly empty?: string
}

/** The one way to stdout and stderr: data on the first, everything else on the second. */
export class Output {
  json = false
  quiet = false
  readonly #progress = new Progress(process.stderr, process.env)

  configure(options: OutputOptions): void {
    this.json = options.json
    this.quiet = options.quiet
  }

  /** The command's result: the document with `--json`, else the text. */
  data(document: unknown, text: () => string): void {
    this.#write(this.json ? json(document, 2) : clean(text()))
  }

  /** Rows as a table, as a JSON array, or with `--quiet` only what each is called, for another command's arguments. */
  table<T>(rows: readonly T[], columns: Columns<T>, { name, empty }: TableOptions<T>): void {
    if (this.json) return this.#write(json(rows, 2))
    if (rows.length === 0) return empty === undefined ? undefined : this.note(empty)
    if (!this.quiet) return this.#write(table(rows, columns))
    const names = new Set(rows.map(name).filter((one) => one !== undefined))
    if (names.size > 0) this.#write([...names].map((one) => cleanLine(String(one))).join('\n'))
  }

  /** One step of something that goes on: a line of JSON, or a line of text. */
  event(document: unknown, text: string): void {
    refuse()
    this.#write(this.json ? json(document) : clean(text))
  }

  /** Bytes as they are, at the reader's pace. */
  async bytes(chunk: Uint8Array): Promise<void> {
    this.#progress.clear()
    refuse()
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

  /** What takes time now; a script that reads JSON is not told. */
  progress(text: string): void {
    if (!this.quiet && !this.json) this.#progress.show(cleanLine(text))
  }

  /** Leaves the terminal to somebody else. */
  settle(): void {
    this.#progress.clear()
  }

  #write(text: string): void {
    this.#progress.clear()
    if (!unwritable()) process.stdout.write(`${text}\n`)
  }
}
