import type { Attributes, Extended, Internals } from './internals.ts'

const CSI = '\x1b['
const MODE = 0x3000000
const COLOUR = 0x3ffffff
const PALETTE = { basic: 0x1000000, full: 0x2000000, rgb: 0x3000000 } as const
const FG = { inverse: 0x4000000, bold: 0x8000000, underline: 0x10000000, blink: 0x20000000, invisible: 0x40000000, strike: 0x80000000 } as const
const BG = { italic: 0x4000000, dim: 0x8000000, extended: 0x10000000, guarded: 0x20000000, overline: 0x40000000 } as const
/** How the library stores `SGR 59`, the default underline colour. */
const NO_COLOUR = 0x3ffffff

const plain: Attributes = { fg: 0, bg: 0, extended: { _ext: 0, underlineColor: 0, urlId: 0 } }

/** Writes attributes, and only when they change. */
export class Pen {
  readonly #internals: Internals
  #key = ''
  #guarded = false
  #link = 0

  /** The terminal is plain: nothing set, no link open. */
  constructor(internals: Internals) {
    this.#internals = internals
    this.#key = keyOf(plain)
  }

  /** For a cell: what it does not show is left out. */
  cell(cell: Attributes): string {
    const shown = (cell.bg & BG.extended) === 0 ? { ...plain, fg: cell.fg, bg: cell.bg } : cell
    return this.#link_(shown.extended.urlId) + this.#style(shown)
  }

  /** For erasing: the background alone. */
  blank(bg: number): string {
    return this.#style({ ...plain, bg: bg & COLOUR })
  }

  /** For what the program will print next: everything, the link too. */
  current(attributes: Attributes): string {
    return this.#link_(attributes.extended.urlId) + this.#style(attributes)
  }

  plain(): string {
    return this.#link_(0) + this.#style(plain)
  }

  #style(attributes: Attributes): string {
    const key = keyOf(attributes)
    if (key === this.#key) return ''
    this.#key = key
    const guarded = (attributes.bg & BG.guarded) !== 0
    const guard = guarded || this.#guarded ? `${CSI}${guarded ? 1 : 0}"q` : ''
    this.#guarded = guarded
    return `${CSI}${sgr(attributes)}m${guard}`
  }

  #link_(id: number): string {
    if (id === this.#link) return ''
    this.#link = id
    const data = id === 0 ? undefined : this.#internals._oscLinkService.getLinkData(id)
    const name = data?.id === undefined ? '' : `id=${data.id}`
    return `\x1b]8;${name};${data?.uri ?? ''}\x1b\\`
  }
}

export function sameStyle(one: Attributes, other: Attributes): boolean {
  return keyOf(one) === keyOf(other) && one.extended.urlId === other.extended.urlId
}

function keyOf({ fg, bg, extended }: Attributes): string {
  return `${fg} ${bg & ~BG.extended} ${extended._ext}`
}

function sgr({ fg, bg, extended }: Attributes): string {
  const codes = ['0']
  if (fg & FG.bold) codes.push('1')
  if (bg & BG.dim) codes.push('2')
  if (bg & BG.italic) codes.push('3')
  if (fg & FG.underline) codes.push(underline(extended))
  if (fg & FG.blink) codes.push('5')
  if (fg & FG.inverse) codes.push('7')
  if (fg & FG.invisible) codes.push('8')
  if (fg & FG.strike) codes.push('9')
  if (bg & BG.overline) codes.push('53')
  codes.push(...colour(fg, 30), ...colour(bg, 40), ...underlineColour(extended.underlineColor))
  return codes.join(';')
}

/** A plain underline is written so that every terminal understands it. */
function underline(extended: Extended): string {
  const style = (extended._ext & 0x1c000000) >>> 26
  return style > 1 ? `4:${style}` : '4'
}

/** The first sixteen stay by name: a terminal may brighten them when bold, or follow its theme. */
function colour(value: number, base: number): string[] {
  const mode = value & MODE
  const index = value & 0xff
  if (mode === PALETTE.basic) return [String(index < 8 ? base + index : base + 60 + index - 8)]
  if (mode === PALETTE.full) return [`${base + 8};5;${index}`]
  return mode === PALETTE.rgb ? [`${base + 8};2;${(value >>> 16) & 0xff};${(value >>> 8) & 0xff};${index}`] : []
}

function underlineColour(value: number): string[] {
  const mode = value & MODE
  if (mode === 0) return []
  if ((value & NO_COLOUR) === NO_COLOUR) return ['59']
  if (mode !== PALETTE.rgb) return [`58:5:${value & 0xff}`]
  return [`58:2::${(value >>> 16) & 0xff}:${(value >>> 8) & 0xff}:${value & 0xff}`]
}
