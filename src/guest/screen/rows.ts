import type { Cell, Line, ScreenBuffer } from './internals.ts'
import type { Pen } from './pen.ts'

const CSI = '\x1b['

/**
 * Paints rows of a buffer, from the cursor's line downwards, into lines that are blank. A row that continues the one
 * above is reached by printing on, never by a line break, so that the viewer's terminal can reflow it later.
 */
export class RowPainter {
  readonly #out: string[]
  readonly #pen: Pen
  readonly #cols: number
  readonly #cell: Cell
  /** The next row continues the one just painted. */
  #continues = false
  /** The row above was filled up with a blank that has to go again once its successor has begun: its background. */
  #filler: number | undefined

  /** `cell`: an object of the library to load cells into. */
  constructor(out: string[], pen: Pen, cols: number, cell: Cell) {
    this.#out = out
    this.#pen = pen
    this.#cols = cols
    this.#cell = cell
  }

  paint(buffer: ScreenBuffer, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      const line = buffer.lines.get(row)
      if (line === undefined) continue
      const next = row + 1 < to ? buffer.lines.get(row + 1) : undefined
      this.#row(line, next?.isWrapped === true ? next : undefined)
      if (row + 1 < to && next?.isWrapped !== true) this.#out.push(this.#pen.plain(), '\r\n')
    }
  }

  #row(line: Line, continued: Line | undefined): void {
    const out = this.#out
    const pen = this.#pen
    let column = 0
    if (this.#continues) column = this.#begin(line)
    const end = this.#end(line, continued)
    while (column < end) {
      const cell = line.loadCell(column, this.#cell)
      const blanks = isBlank(cell) ? this.#blanks(line, column, end) : 0
      if (blanks > 0) {
        if (line.loadCell(column, this.#cell).bg !== 0) out.push(pen.blank(this.#cell.bg), `${CSI}${blanks}X`)
        column += blanks
        if (column < this.#cols) out.push(`${CSI}${blanks}C`)
        continue
      }
      column += this.#print(cell, column)
    }
    this.#continues = continued !== undefined
    if (continued !== undefined && !this.#wraps(line, continued)) this.#fill(line)
  }

  /** Prints one cell; returns its width. */
  #print(cell: Cell, column: number): number {
    const text = cell.getChars()
    const width = Math.max(1, cell.getWidth())
    this.#out.push(this.#pen.cell(cell), text === '' ? ' ' : text)
    // Terminals disagree on the width of such characters; what follows is put where it belongs all the same.
    if (odd(text) && column + width < this.#cols) this.#out.push(`${CSI}${column + width + 1}G`)
    return width
  }

  /** How many blank cells of one background begin here. */
  #blanks(line: Line, column: number, end: number): number {
    const { bg } = line.loadCell(column, this.#cell)
    let last = column + 1
    while (last < end && isBlank(line.loadCell(last, this.#cell)) && this.#cell.bg === bg) last++
    return last - column
  }

  /** Behind the last cell that shows anything. */
  #end(line: Line, continued: Line | undefined): number {
    let end = this.#cols
    if (continued !== undefined && this.#wraps(line, continued) && isBlank(line.loadCell(end - 1, this.#cell))) end--
    while (end > 0 && isBlank(line.loadCell(end - 1, this.#cell)) && this.#cell.bg === 0) end--
    return end
  }

  /** Whether printing the continuation wraps by itself: the row is full, or its last column too narrow for what comes. */
  #wraps(line: Line, continued: Line): boolean {
    if (!isBlank(line.loadCell(this.#cols - 1, this.#cell))) return true
    const { bg } = this.#cell
    if (this.#cols < 2 || isBlank(line.loadCell(this.#cols - 2, this.#cell))) return false
    const next = continued.loadCell(0, this.#cell)
    return next.getWidth() === 2 && next.bg === bg
  }

  #fill(line: Line): void {
    this.#out.push(`${CSI}${this.#cols}G`, this.#pen.plain(), ' ')
    this.#filler = line.loadCell(this.#cols - 1, this.#cell).bg
  }

  /** Wraps into a row by printing its first cell, even if that then has to be erased. Returns the width of the cell. */
  #begin(line: Line): number {
    const out = this.#out
    const first = line.loadCell(0, this.#cell)
    const { bg } = first
    const width = isBlank(first) ? 0 : this.#print(first, 0)
    // Where wrapping scrolls, the new line comes in the colour of what was printed.
    if (width > 0 && width < this.#cols && (bg & 0x3ffffff) !== 0) out.push(this.#pen.blank(0), `${CSI}K`)
    if (width === 0) out.push(this.#pen.plain(), ` \r${this.#pen.blank(bg)}${CSI}X`)
    if (this.#filler !== undefined) out.push(`${CSI}A${CSI}${this.#cols}G`, this.#pen.blank(this.#filler), `${CSI}X${CSI}B${CSI}${width + 1}G`)
    this.#filler = undefined
    return width
  }
}

/** Erased: no character, and nothing but perhaps a background. */
function isBlank(cell: Cell): boolean {
  return cell.getWidth() === 1 && cell.fg === 0 && (cell.bg & ~0x3ffffff) === 0 && cell.getChars() === ''
}

function odd(text: string): boolean {
  return text.length > 1 || text.charCodeAt(0) >= 0xd800
}
