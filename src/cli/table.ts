import { cleanLine } from '../util/text.ts'

/** Header to cell, in order. */
export type Columns<T> = Readonly<Record<string, (row: T) => string | number | undefined>>

const GAP = '   '

/** Aligned columns under upper-case headers; a column that is empty in every row is left out. */
export function table<T>(rows: readonly T[], columns: Columns<T>): string {
  const filled = Object.entries(columns)
    .map(([header, cell]) => [header.toUpperCase()].concat(rows.map((row) => cleanLine(String(cell(row) ?? '')))))
    .filter(([, ...cells]) => cells.some((cell) => cell !== ''))
  const widths = filled.map((cells) => Math.max(...cells.map(width)))
  const lines = Array.from({ length: rows.length + 1 }, (_, line) =>
    filled.map((cells, column) => pad(cells[line] ?? '', widths[column] ?? 0)).join(GAP).trimEnd(),
  )
  return lines.join('\n')
}

function pad(text: string, to: number): string {
  return text + ' '.repeat(to - width(text))
}

const wide = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u
const none = /\p{Mn}|\p{Me}|\p{Cf}/u

/** Terminal cells. */
function width(text: string): number {
  let cells = 0
  for (const character of text) cells += none.test(character) ? 0 : wide.test(character) ? 2 : 1
  return cells
}
