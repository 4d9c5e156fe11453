import { stripVTControlCharacters } from 'node:util'

/** Everything a terminal would obey rather than show, except newline and tab; and what reverses the reading direction. */
const obeyed = /(?![\n\t])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/gu

/** Makes text from a computer, a provider or a plugin safe to print. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(obeyed, '')
}

/** The same, for one cell or one line. */
export function cleanLine(text: string): string {
  return clean(text).replace(/[\n\t]+/g, ' ')
}

/** JSON that is safe on a terminal too: the C1 controls are escaped like the others. */
export function json(document: unknown, indent?: number): string {
  const text = JSON.stringify(document, undefined, indent) ?? 'null'
  return text.replace(/[\u007F-\u009F\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The nearest of the candidates, when it is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = tolerance(word)
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate, least)
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

/** The same for several words, each of which must be near its own. */
export function nearestPhrase(words: readonly string[], candidates: Iterable<readonly string[]>): readonly string[] | undefined {
  let best: readonly string[] | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const distances = words.map((word, index) => editDistance(word, candidate[index] ?? '', tolerance(word)))
    const near = distances.every((distance, index) => distance < tolerance(words[index] ?? ''))
    const sum = distances.reduce((total, distance) => total + distance, 0)
    if (near && sum < least) [best, least] = [candidate, sum]
  }
  return best
}

/** A distance that is too far to be a slip of the fingers. */
function tolerance(word: string): number {
  return Math.max(1, Math.floor(word.length / 3)) + 1
}

/** Optimal string alignment: a swap of neighbours counts once. Gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(at(above, j) + 1, at(row, j - 1) + 1, at(above, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, at(before, j - 2) + 1)
      row.push(least)
    }
    ;[before, above] = [above, row]
  }
  return at(above, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
