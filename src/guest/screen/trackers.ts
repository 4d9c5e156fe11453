import type { IParser, Terminal } from '@xterm/headless'

/** Private modes that the library does not know or keep, and a viewer's terminal may. */
const modes = [5, 1005, 1007, 1015, 2031, 2048] as const
const KITTY_DEPTH = 16

type Params = readonly (number | number[])[]

/** What a program asked of its terminal that the model itself forgets. Only looks: every sequence goes on to the model. */
export class Trackers {
  title: string | undefined
  /** modifyOtherKeys, as asked for. */
  otherKeys: number | undefined
  readonly modes: Map<number, boolean> = new Map()
  /** Kitty's keyboard flags of each screen; the first entry is the base, the others were pushed. */
  readonly keyboards: { normal: number[]; alternate: number[] } = { normal: [0], alternate: [0] }
  /** Palette and special colours by the text before the colour: `4;17`, `10`. */
  readonly colours: Map<string, string> = new Map()
  readonly #terminal: Terminal

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    terminal.onTitleChange((title) => {
      this.title = title
    })
    // Nobody can tell a viewer about the stack of a screen it is not on, so each visit begins with an empty one.
    terminal.buffer.onBufferChange(({ type }) => {
      if (type === 'alternate') this.keyboards.alternate = [0]
    })
    const { parser } = terminal
    this.#csi(parser, { prefix: '?', final: 'h' }, (params) => this.#setModes(params, true))
    this.#csi(parser, { prefix: '?', final: 'l' }, (params) => this.#setModes(params, false))
    this.#csi(parser, { prefix: '>', final: 'm' }, (params) => this.#setOtherKeys(params))
    this.#csi(parser, { prefix: '>', final: 'u' }, (params) => this.#push(first(params)))
    this.#csi(parser, { prefix: '<', final: 'u' }, (params) => this.#pop(Math.max(1, first(params))))
    this.#csi(parser, { prefix: '=', final: 'u' }, (params) => this.#change(params))
    parser.registerEscHandler({ final: 'c' }, () => this.#clear())
    for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (data) => this.#setColours(code, data))
    for (const code of [104, 110, 111, 112]) parser.registerOscHandler(code, (data) => this.#resetColours(code - 100, data))
  }

  #csi(parser: IParser, id: { prefix: string; final: string }, see: (params: Params) => void): void {
    parser.registerCsiHandler(id, (params) => {
      see(params)
      return false
    })
  }

  #setModes(params: Params, on: boolean): void {
    for (const mode of modes) if (params.includes(mode)) this.modes.set(mode, on)
  }

  #setOtherKeys(params: Params): void {
    const [resource, value] = params
    if (resource === 4) this.otherKeys = typeof value === 'number' && value > 0 ? value : undefined
    else if (resource === undefined || resource === 0) this.otherKeys = undefined
  }

  get #keyboard(): number[] {
    return this.#terminal.buffer.active.type === 'alternate' ? this.keyboards.alternate : this.keyboards.normal
  }

  #push(flags: number): void {
    const stack = this.#keyboard
    stack.push(flags)
    if (stack.length > KITTY_DEPTH) stack.splice(1, 1)
  }

  /** Popping more than there is resets the base. */
  #pop(count: number): void {
    const stack = this.#keyboard
    if (count >= stack.length) stack.splice(0, stack.length, 0)
    else stack.length -= count
  }

  #change(params: Params): void {
    const stack = this.#keyboard
    const flags = first(params)
    const now = stack.at(-1) ?? 0
    const [, how] = params
    stack[stack.length - 1] = how === 2 ? now | flags : how === 3 ? now & ~flags : flags
  }

  #setColours(code: number, data: string): boolean {
    const parts = data.split(';')
    if (code === 4) for (let at = 0; at + 1 < parts.length; at += 2) this.#setColour(`4;${parts[at]}`, parts[at + 1])
    // Several values set the following special colours too.
    else parts.forEach((part, at) => this.#setColour(String(code + at), part))
    return false
  }

  #setColour(name: string, value: string | undefined): void {
    if (value !== undefined && value !== '' && value !== '?' && this.colours.size < 512) this.colours.set(name, value)
  }

  #resetColours(code: number, data: string): boolean {
    if (code !== 4) this.colours.delete(String(code))
    else if (data === '') for (const name of [...this.colours.keys()].filter((key) => key.startsWith('4;'))) this.colours.delete(name)
    else for (const index of data.split(';')) this.colours.delete(`4;${index}`)
    return false
  }

  #clear(): boolean {
    this.otherKeys = undefined
    this.modes.clear()
    this.colours.clear()
    this.keyboards.normal = [0]
    this.keyboards.alternate = [0]
    return false
  }
}

function first(params: Params): number {
  const [value] = params
  return typeof value === 'number' ? value : 0
}
