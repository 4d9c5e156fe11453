import { refuse } from '../http/errors.ts'

const LONGEST = 256

/**
 * A glob with `*`, `?`, `[a-z]`, `[!a-z]`, `\\x`, and `**` for directories in between, in time that no pattern makes long: what
 * is compiled to a regular expression can take years. Of the name alone, unless the pattern has directories.
 */
export function glob(pattern: string): (path: string) => boolean {
  if (pattern.length > LONGEST) throw refuse(400, 'invalid_request', `the pattern is longer than ${LONGEST} characters`)
  const parts = pattern.split('/').map(partOf)
  return parts.length === 1 ? (path) => fits(path.slice(path.lastIndexOf('/') + 1), parts[0] as Part) : (path) => runs(path.split('/'), parts, (part) => part === '**', fits)
}

type Sign = '*' | ((char: string) => boolean)
type Part = readonly Sign[] | '**'

function fits(name: string, part: Part): boolean {
  return part === '**' || runs([...name], part, (sign) => sign === '*', (char, sign) => sign !== '*' && sign(char))
}

/** Whether all of them are what the pattern says, where some of its signs stand for any number of them. Only the last of those can have to take more. */
function runs<T, S>(all: readonly T[], pattern: readonly S[], isAny: (sign: S) => boolean, is: (one: T, sign: S) => boolean): boolean {
  let at = 0
  let sign = 0
  let again: { at: number; readonly sign: number } | undefined
  while (at < all.length) {
    const wanted = pattern[sign]
    if (wanted !== undefined && isAny(wanted)) again = { at, sign: ++sign }
    else if (wanted !== undefined && is(all[at] as T, wanted)) {
      at++
      sign++
    } else if (again) {
      at = ++again.at
      sign = again.sign
    } else return false
  }
  return pattern.slice(sign).every(isAny)
}

function partOf(text: string): Part {
  if (text === '**') return text
  const signs: Sign[] = []
  const chars = [...text]
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string
    if (char === '{') throw refuse(400, 'invalid_request', 'a pattern has no {…} here: ask once for each')
    else if (char === '\\') signs.push(exactly(chars[++at] ?? '\\'))
    else if (char === '?') signs.push(() => true)
    else if (char === '[') {
      const end = chars.indexOf(']', at + (chars[at + 1] === '!' || chars[at + 1] === '^' ? 3 : 2))
      if (end < 0) throw refuse(400, 'invalid_request', 'the pattern has a [ without its ]')
      signs.push(oneOf(chars.slice(at + 1, end)))
      at = end
    } else signs.push(char === '*' ? char : exactly(char))
  }
  return signs
}

function exactly(wanted: string): Sign {
  return (char) => char === wanted
}

function oneOf(chars: readonly string[]): Sign {
  const not = chars[0] === '!' || chars[0] === '^'
  const list = not ? chars.slice(1) : chars
  const within = (char: string) => list.some((from, at) => char === from || (list[at + 1] === '-' && from <= char && char <= (list[at + 2] ?? '')))
  return (char) => within(char) !== not
}
