const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const EVERY = 100
const WIDTH = 80

/** Says on stderr what takes time: one line that turns on a terminal, a plain line for each step otherwise. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #lively: boolean
  #text = ''
  #tick = 0
  #timer: NodeJS.Timeout | undefined

  constructor(stream: NodeJS.WriteStream, env: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream
    this.#lively = stream.isTTY && env['TERM'] !== 'dumb' && !env['CI']
  }

  show(text: string): void {
    if (text === this.#text) return
    this.#text = text
    if (!this.#lively) {
      this.#stream.write(`${text}\n`)
      return
    }
    this.#timer ??= setInterval(() => this.#draw(), EVERY).unref()
    this.#draw()
  }

  /** Takes the turning line away. Everything else that writes to the terminal calls this first. */
  clear(): void {
    this.#text = ''
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#stream.write('\r\u001B[K')
  }

  #draw(): void {
    const room = (this.#stream.columns || WIDTH) - 3
    const text = this.#text.length > room ? `${this.#text.slice(0, Math.max(0, room - 1))}…` : this.#text
    this.#stream.write(`\r${frames[this.#tick++ % frames.length]} ${text}\u001B[K`)
  }
}
