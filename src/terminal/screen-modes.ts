/**
 * Follows which modes a program switched on in the local terminal, so that exactly those can be switched off again
 * when it ends, dies or is left. Undoing what was never done would harm: leaving an alternate screen that was not
 * entered moves the cursor over the user's own text.
 */
export class ScreenModes {
  private state: 'ground' | 'escape' | 'csi' | 'string' | 'charset' | 'stringEscape' = 'ground'
  private text = ''
  private on = new Set<string>()
  private off = new Set<string>()
  private pushes = [0, 0]
  private flags = new Map<string, string>()

  feed(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.state === 'ground') {
        at = nextControl(chunk, at)
        if (at === -1) return
      }
      this.byte(chunk[at] ?? 0)
    }
  }

  get alternate(): boolean {
    return ['1049', '1047', '47'].some((mode) => this.on.has(mode))
  }

  /** Bytes that bring the terminal back. Empty when nothing is to be done. */
  undo(): string {
    let out = this.state === 'ground' ? '' : '\u0018'
    const alternate = this.alternate
    if (alternate) out += popKeyboard(this.pushes[1]) + [...this.on].filter(isAlternate).map((mode) => `\u001b[?${mode}l`).join('')
    out += popKeyboard(this.pushes[0])
    for (const mode of this.on) if (!isAlternate(mode)) out += `\u001b[?${mode}l`
    for (const mode of this.off) out += `\u001b[?${mode}h`
    for (const bytes of this.flags.values()) out += bytes
    this.reset()
    return out
  }

  /** Bytes that switch the screen's own modes on again after `undo`, before the program draws anew. */
  redo(): string {
    return [...this.on].map((mode) => `\u001b[?${mode}h`).join('') + [...this.off].map((mode) => `\u001b[?${mode}l`).join('')
  }

  private reset(): void {
    this.state = 'ground'
    this.on.clear()
    this.off.clear()
    this.pushes = [0, 0]
    this.flags.clear()
  }

  private byte(byte: number): void {
    if (byte === 0x18 || byte === 0x1a) {
      this.state = 'ground'
      return
    }
    const char = String.fromCharCode(byte)
    if (this.state === 'ground') this.control(byte)
    else if (this.state === 'escape') this.escape(char)
    else if (this.state === 'charset') this.charset(char)
    else if (this.state === 'csi') this.csi(byte, char)
    else this.string(byte, char)
  }

  private control(byte: number): void {
    if (byte === 0x1b) this.state = 'escape'
    else if (byte === 0x0e) this.flags.set('shift', '\u000f')
    else if (byte === 0x0f) this.flags.delete('shift')
  }

  private escape(char: string): void {
    this.text = ''
    this.state = 'ground'
    if (char === '[') this.state = 'csi'
    else if (char === ']') this.state = 'string'
    else if (char === 'P' || char === '_' || char === '^' || char === 'X') {
      this.state = 'string'
      this.text = char
    } else if (char === '(') this.state = 'charset'
    else if (char === '=') this.flags.set('keypad', '\u001b>')
    else if (char === '>') this.flags.delete('keypad')
    else if (char === 'c') this.reset()
    else if (char === '\u001b') this.state = 'escape'
  }

  private charset(char: string): void {
    this.state = 'ground'
    if (char === 'B') this.flags.delete('charset')
    else this.flags.set('charset', '\u001b(B')
  }

  private csi(byte: number, char: string): void {
    if (byte === 0x1b) this.state = 'escape'
    else if (byte >= 0x40 && byte <= 0x7e) {
      this.state = 'ground'
      this.sequence(this.text, char)
    } else if (byte >= 0x20 && this.text.length < 128) this.text += char
  }

  /** OSC and its kin: only the beginning is of interest. */
  private string(byte: number, char: string): void {
    if (this.state === 'stringEscape') {
      this.operate()
      if (char === '\\') this.state = 'ground'
      else this.escape(char)
    } else if (byte === 0x1b) this.state = 'stringEscape'
    else if (byte === 0x07) {
      this.operate()
      this.state = 'ground'
    } else if (this.text.length < 512) this.text += char
  }

  private operate(): void {
    const [, code, rest] = /^(\d+);?(.*)$/s.exec(this.text) ?? []
    if (code === '8') {
      if (/^[^;]*;.+/s.test(rest ?? '')) this.flags.set('link', '\u001b]8;;\u001b\\')
      else this.flags.delete('link')
    } else if (code === '4' || code === '10' || code === '11' || code === '12') {
      if (rest !== undefined && !rest.endsWith('?')) this.flags.set(`colour${code}`, `\u001b]1${code.padStart(2, '0')}\u001b\\`)
    } else if (code !== undefined && /^1(04|10|11|12)$/.test(code)) this.flags.delete(`colour${Number(code) - 100}`)
  }

  private sequence(text: string, final: string): void {
    if (final === 'h' || final === 'l') this.mode(text, final === 'h')
    else if (final === 'u') this.keyboard(text)
    else if (final === 'm') this.attributes(text)
    else if (final === 'r' && /^[\d;]*$/.test(text)) this.set('region', text !== '', '\u001b7\u001b[r\u001b8')
    else if (final === 'q' && text.endsWith(' ')) this.set('cursor', !/^0? $/.test(text), '\u001b[0 q')
    else if (final === 'p' && text === '!') this.soft()
  }

  private mode(text: string, on: boolean): void {
    if (text === '4') this.set('insert', on, '\u001b[4l')
    if (!text.startsWith('?')) return
    for (const mode of text.slice(1).split(';')) {
      // Wrapping and the cursor are on by default; for all others a program that left them off did no harm.
      if (mode === '7' || mode === '25') toggle(this.off, mode, !on)
      else if (/^\d+$/.test(mode)) toggle(this.on, mode, on)
    }
  }

  private keyboard(text: string): void {
    const screen = this.alternate ? 1 : 0
    const count = Number(/^[<](\d*)$/.exec(text)?.[1] || 1)
    if (text.startsWith('>')) this.pushes[screen] = (this.pushes[screen] ?? 0) + 1
    else if (text.startsWith('<')) this.pushes[screen] = Math.max(0, (this.pushes[screen] ?? 0) - count)
    else if (text.startsWith('=')) this.set('keyboard', !/^=0?(;|$)/.test(text), '\u001b[=0u')
  }

  private attributes(text: string): void {
    if (text.startsWith('>')) this.set('keys', /^>4;[1-9]/.test(text), '\u001b[>4;0m')
    else if (/^[\d;:]*$/.test(text)) this.set('attributes', !/(^|;)0?$/.test(text), '\u001b[0m')
  }

  private soft(): void {
    toggle(this.off, '25', false)
    for (const name of ['attributes', 'region', 'insert', 'keypad', 'charset']) this.flags.delete(name)
  }

  private set(name: string, on: boolean, undo: string): void {
    if (on) this.flags.set(name, undo)
    else this.flags.delete(name)
  }
}

function nextControl(chunk: Uint8Array, from: number): number {
  for (let at = from; at < chunk.length; at += 1) {
    const byte = chunk[at]
    if (byte === 0x1b || byte === 0x0e || byte === 0x0f) return at
  }
  return -1
}

function isAlternate(mode: string): boolean {
  return mode === '1049' || mode === '1047' || mode === '47'
}

function popKeyboard(pushes: number | undefined): string {
  return pushes === undefined || pushes === 0 ? '' : `\u001b[<${pushes}u`
}

function toggle(set: Set<string>, value: string, on: boolean): void {
  if (on) set.add(value)
  else set.delete(value)
}
