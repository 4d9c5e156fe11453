import type { Terminal } from '@xterm/headless'
import { TERMINAL_RESET } from '../../protocol/index.ts'
import type { Attributes, Cell, Internals, ScreenBuffer } from './internals.ts'
import { Pen, sameStyle } from './pen.ts'
import { RowPainter } from './rows.ts'
import type { Trackers } from './trackers.ts'

const CSI = '\x1b['
const OSC = '\x1b]'
const ST = '\x1b\\'
const mouse: Readonly<Record<string, number>> = { x10: 9, vt200: 1000, drag: 1002, any: 1003 }
const encodings: Readonly<Record<string, number>> = { SGR: 1006, SGR_PIXELS: 1016 }
const shapes: Readonly<Record<string, number>> = { block: 2, underline: 4, bar: 6 }

export interface Model {
  readonly terminal: Terminal
  readonly internals: Internals
  readonly trackers: Trackers
  /** The final character that designates each of the library's character sets. */
  readonly charsets: ReadonlyMap<object, string>
}

/**
 * What a terminal of the same size has to be told, whatever state it is in, to show exactly this screen, scroll back
 * over its last lines, and take the program's next bytes just as the model will. The order matters throughout: cells
 * are painted while no mode changes their meaning, and what moves the cursor comes before the cursor.
 */
export function paint(model: Model, scrollback: number): string {
  const { terminal, internals } = model
  const { normal, alt, active } = internals.buffers
  const out: string[] = [TERMINAL_RESET, `${CSI}?2026h${CSI}H${CSI}2J`]
  const pen = new Pen(internals)
  // The library creates its cells itself; this one is the same object as it uses inside.
  const cell = terminal.buffer.active.getNullCell() as unknown as Cell
  const painter = new RowPainter(out, pen, terminal.cols, cell)
  const { rows } = terminal

  painter.paint(normal, start(normal, scrollback), normal.ybase + rows)
  out.push(...region(normal, rows), ...keyboard(model.trackers.keyboards.normal), ...tabs(normal, terminal.cols))
  out.push(...saved(model, pen, normal, active === alt ? `${CSI}?1049h` : '\x1b7'))
  if (active === alt) {
    out.push(pen.plain(), `${CSI}r${CSI}H${CSI}2J`)
    painter.paint(alt, alt.ybase, alt.ybase + rows)
    out.push(...region(alt, rows), ...keyboard(model.trackers.keyboards.alternate), ...tabs(alt, terminal.cols))
    out.push(...saved(model, pen, alt, '\x1b7'))
  }
  out.push(...modes(model), ...cursor(model, pen, active, cell), ...closing(model), ...again(model, active, cell))
  return out.join('')
}

/** Begins with a whole line, not with the continuation of one. */
function start(buffer: ScreenBuffer, scrollback: number): number {
  let row = Math.max(0, buffer.ybase - scrollback)
  while (row > 0 && buffer.lines.get(row)?.isWrapped === true) row--
  return row
}

function region(buffer: ScreenBuffer, rows: number): string[] {
  const { scrollTop, scrollBottom } = buffer
  return scrollTop === 0 && scrollBottom === rows - 1 ? [] : [`${CSI}${scrollTop + 1};${scrollBottom + 1}r`]
}

/** The saved cursor, stored by `save`. */
function saved(model: Model, pen: Pen, buffer: ScreenBuffer, save: string): string[] {
  const letter = buffer.savedCharset === undefined ? undefined : model.charsets.get(buffer.savedCharset)
  const shift = letter === undefined ? ['', ''] : [`\x1b(${letter}`, '\x1b(B']
  const attributes: Attributes = { ...buffer.savedCurAttrData, extended: { _ext: 0, underlineColor: 0, urlId: 0 } }
  return [pen.current(attributes), at(buffer.savedX, buffer.savedY - buffer.ybase), shift[0] ?? '', save, shift[1] ?? '']
}

function keyboard([base = 0, ...pushed]: readonly number[]): string[] {
  return [base === 0 ? '' : `${CSI}=${base}u`, ...pushed.map((flags) => `${CSI}>${flags}u`)]
}

function tabs(buffer: ScreenBuffer, cols: number): string[] {
  const stops = Array.from({ length: cols }, (_, column) => column).filter((column) => buffer.tabs[column] === true)
  const usual = stops.length === Math.ceil(cols / 8) && stops.every((column) => column % 8 === 0)
  return usual ? [] : [`${CSI}3g`, ...stops.map((column) => `${CSI}${column + 1}G\x1bH`)]
}

function modes({ terminal, internals, trackers }: Model): string[] {
  const now = terminal.modes
  const on: number[] = []
  if (now.applicationCursorKeysMode) on.push(1)
  if (now.bracketedPasteMode) on.push(2004)
  if (now.reverseWraparoundMode) on.push(45)
  if (now.sendFocusMode) on.push(1004)
  if (internals.options.cursorBlink) on.push(12)
  on.push(...[mouse[now.mouseTrackingMode], encodings[internals.coreMouseService.activeEncoding]].filter((mode) => mode !== undefined))
  on.push(...[...trackers.modes].filter(([, set]) => set).map(([mode]) => mode))
  const out = on.map((mode) => `${CSI}?${mode}h`)
  if (trackers.modes.get(1007) === false) out.push(`${CSI}?1007l`)
  if (internals.coreService.decPrivateModes.applicationKeypad) out.push('\x1b=')
  if (trackers.otherKeys !== undefined) out.push(`${CSI}>4;${trackers.otherKeys}m`)
  return out
}

/** The cursor, what the program prints with next, and the modes under which it could not have been put there. */
function cursor({ terminal, internals }: Model, pen: Pen, buffer: ScreenBuffer, cell: Cell): string[] {
  const out: string[] = []
  const { originMode, insertMode, wraparoundMode } = terminal.modes
  const row = originMode ? buffer.y - buffer.scrollTop : buffer.y
  if (originMode) out.push(`${CSI}?6h`)
  if (buffer.x < terminal.cols) out.push(at(buffer.x, row))
  else out.push(...beyond(buffer, row, terminal.cols, pen, cell))
  out.push(pen.current(internals._inputHandler._curAttrData))
  if (insertMode) out.push(`${CSI}4h`)
  if (internals.options.convertEol) out.push(`${CSI}20h`)
  if (!wraparoundMode) out.push(`${CSI}?7l`)
  return out
}

/** The next character wraps: the last one is printed once more. */
function beyond(buffer: ScreenBuffer, row: number, cols: number, pen: Pen, cell: Cell): string[] {
  const line = buffer.lines.get(buffer.ybase + buffer.y)
  const wide = line !== undefined && line.loadCell(cols - 1, cell).getWidth() === 0
  const column = wide ? cols - 2 : cols - 1
  const last = line?.loadCell(column, cell) ?? cell
  return [at(column, row), pen.cell(last), last.getChars() || ' ']
}

function closing({ internals, trackers, charsets, terminal }: Model): string[] {
  const { charset, glevel, _charsets } = internals._charsetService
  const out: string[] = []
  for (let level = 0; level < 4; level++) {
    const set = level === glevel ? charset : _charsets[level]
    const letter = set === undefined ? undefined : charsets.get(set)
    if (letter !== undefined) out.push(`\x1b${'()*+'[level] ?? '('}${letter}`)
  }
  out.push(['', '\x0e', '\x1bn', '\x1bo'][glevel] ?? '')
  for (const [name, value] of trackers.colours) out.push(`${OSC}${name};${value}${ST}`)
  if (trackers.title !== undefined) out.push(`${OSC}2;${trackers.title}${ST}`)
  const { cursorStyle, cursorBlink } = internals.coreService.decPrivateModes
  const shape = shapes[cursorStyle ?? '']
  if (shape !== undefined) out.push(`${CSI}${cursorBlink === true ? shape - 1 : shape} q`)
  if (internals.coreService.isCursorHidden) out.push(`${CSI}?25l`)
  if (!terminal.modes.synchronizedOutputMode) out.push(`${CSI}?2026l`)
  return out
}

/**
 * A combining mark or "repeat" that comes next refers to the character printed last, so that one is printed once more,
 * as the very last thing. Not where printing would do more than that.
 */
function again({ terminal, internals }: Model, buffer: ScreenBuffer, cell: Cell): string[] {
  const { _curAttrData, _parser } = internals._inputHandler
  const { insertMode, originMode } = terminal.modes
  if (_parser.precedingJoinState === 0 || buffer.x === 0 || insertMode || originMode || internals._charsetService.charset !== undefined) return []
  const line = buffer.lines.get(buffer.ybase + buffer.y)
  const column = line?.loadCell(buffer.x - 1, cell).getWidth() === 0 ? buffer.x - 2 : buffer.x - 1
  const text = column < 0 ? '' : (line?.loadCell(column, cell).getChars() ?? '')
  return text !== '' && sameStyle(cell, _curAttrData) ? [at(column, buffer.y), text] : []
}

function at(column: number, row: number): string {
  return `${CSI}${Math.max(0, row) + 1};${column + 1}H`
}
