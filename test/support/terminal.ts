import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IPty, spawn } from '@lydell/node-pty'
// A CommonJS package: its names are on the default export.
import xterm from '@xterm/headless'

export interface TerminalOptions {
  readonly cols?: number
  readonly rows?: number
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

const PATIENCE_MS = 15_000

/** A real pseudo-terminal with a screen one can look at, running a shell line. */
export class TestTerminal {
  readonly directory = mkdtempSync(join(tmpdir(), 'amux-terminal-'))
  readonly pty: IPty
  readonly screen: InstanceType<typeof xterm.Terminal>
  /** Everything that came out of it. */
  raw = ''
  #status: number | undefined

  /** The line runs between two looks at the terminal's settings. */
  constructor(line: string, { cols = 80, rows = 24, cwd, env }: TerminalOptions = {}) {
    const script = `stty -g > ${this.directory}/before; ${line}\nstatus=$?; stty -g > ${this.directory}/after; echo "[status $status]"; exit $status`
    // A person sits here, whoever runs the tests.
    const { CI: _, ...inherited } = process.env
    this.screen = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 1000 })
    this.pty = spawn('/bin/bash', ['-c', script], { cols, rows, name: 'xterm-256color', cwd: cwd ?? this.directory, env: { ...inherited, ...env } })
    this.pty.onData((data) => {
      this.raw += data
      this.screen.write(data)
    })
    this.pty.onExit(({ exitCode, signal }) => (this.#status = signal ? 128 + signal : exitCode))
    this.screen.onData((answer) => this.pty.write(answer))
  }

  type(text: string): void {
    this.pty.write(text)
  }

  resize(cols: number, rows: number): void {
    this.pty.resize(cols, rows)
    this.screen.resize(cols, rows)
  }

  /** What is on the screen now, line by line, without the empty end. */
  async lines(): Promise<string[]> {
    await new Promise<void>((resolve) => this.screen.write('', resolve))
    const { active } = this.screen.buffer
    const lines = Array.from({ length: this.screen.rows }, (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '')
    while (lines.at(-1) === '') lines.pop()
    return lines
  }

  async text(): Promise<string> {
    return (await this.lines()).join('\n')
  }

  /** Waits until the screen shows it. */
  async shows(wanted: string | RegExp): Promise<string> {
    const found = (text: string): boolean => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text))
    return this.#until(async () => found(await this.text()), `the screen to show ${String(wanted)}`)
  }

  /** Waits for the end of the line; its exit status. */
  async ended(): Promise<number> {
    await this.#until(async () => this.#status !== undefined, 'the end')
    return this.#status ?? -1
  }

  /** The terminal's settings before and after, to be compared. */
  settings(): { readonly before: string; readonly after: string } {
    const read = (name: string): string => readFileSync(join(this.directory, name), 'utf8').trim()
    return { before: read('before'), after: read('after') }
  }

  dispose(): void {
    if (this.#status === undefined) this.pty.kill('SIGKILL')
    this.screen.dispose()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #until(done: () => Promise<boolean>, what: string): Promise<string> {
    const begun = performance.now()
    while (!(await done())) {
      if (performance.now() - begun > PATIENCE_MS) throw new Error(`waited in vain for ${what}; the screen:\n${await this.text()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return this.text()
  }
}
