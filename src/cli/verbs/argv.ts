/** A flag as data: the ordinary commands and the hot way read the same. */
export interface FlagSpec {
  readonly kind: 'switch' | 'value' | 'values'
  readonly char?: string
  /** A switch that has a `--no-` form too. */
  readonly negatable?: true
  readonly summary: string
  readonly helpValue?: string
}

export type FlagTable = Readonly<Record<string, FlagSpec>>

type Value<S extends FlagSpec> = S['kind'] extends 'switch' ? boolean : S['kind'] extends 'value' ? string : string[]

export type FlagValues<T extends FlagTable> = { [K in keyof T]?: Value<T[K]> | undefined }

export interface Parsed<T extends FlagTable> {
  readonly flags: FlagValues<T>
  /** From the first word that is no flag. */
  readonly rest: readonly string[]
}

interface Taken {
  readonly name: string
  readonly value: string | boolean
  /** How many words it takes. */
  readonly words: number
  /** A bundle like `-it` goes on with these. */
  readonly more?: string
}

/**
 * Reads flags up to the first word that is none. Undefined where there is any doubt about what is meant: an unknown
 * flag, a missing value, a value that looks like a flag, one flag twice. Finding the right words for that is not for here.
 */
export function parseFlags<T extends FlagTable>(table: T, argv: readonly string[]): Parsed<T> | undefined {
  const flags: Record<string, string | boolean | string[]> = {}
  let at = 0
  while (at < argv.length) {
    const word = argv[at] ?? ''
    if (!isFlag(word)) break
    for (let bundle: string | undefined = word; bundle !== undefined; ) {
      const taken = take(table, bundle, argv[at + 1])
      if (taken === undefined || !put(table, flags, taken)) return undefined
      bundle = taken.more
      if (bundle === undefined) at += taken.words
    }
  }
  return { flags: flags as FlagValues<T>, rest: argv.slice(at) }
}

/** Where the first word is that is no flag of ours, nor a flag's value: there a program's own words begin. */
export function ownLength(table: FlagTable, argv: readonly string[]): number {
  let at = 0
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? ''
    if (!isFlag(word)) break
    if (takesNext(table, word)) at += 1
  }
  return Math.min(at, argv.length)
}

function isFlag(word: string): boolean {
  return word.startsWith('-') && word !== '-'
}

function take(table: FlagTable, word: string, next: string | undefined): Taken | undefined {
  return word.startsWith('--') ? takeLong(table, word.slice(2), next) : takeShort(table, word.slice(1), next)
}

function takeLong(table: FlagTable, text: string, next: string | undefined): Taken | undefined {
  const cut = text.indexOf('=')
  const name = cut < 0 ? text : text.slice(0, cut)
  const spec = own(table, name)
  if (spec === undefined) {
    const positive = name.startsWith('no-') ? name.slice(3) : ''
    return cut < 0 && own(table, positive)?.negatable === true ? { name: positive, value: false, words: 1 } : undefined
  }
  if (spec.kind === 'switch') return cut < 0 ? { name, value: true, words: 1 } : undefined
  return cut < 0 ? nextWord(name, next) : { name, value: text.slice(cut + 1), words: 1 }
}

function takeShort(table: FlagTable, letters: string, next: string | undefined): Taken | undefined {
  const name = longName(table, letters[0] ?? '')
  if (name === undefined) return undefined
  const rest = letters.slice(1)
  if (table[name]?.kind === 'switch') return { name, value: true, words: 1, ...(rest !== '' && { more: `-${rest}` }) }
  if (rest === '') return nextWord(name, next)
  return { name, value: rest.startsWith('=') ? rest.slice(1) : rest, words: 1 }
}

function nextWord(name: string, next: string | undefined): Taken | undefined {
  return next === undefined || next.startsWith('-') ? undefined : { name, value: next, words: 2 }
}

function put(table: FlagTable, flags: Record<string, string | boolean | string[]>, { name, value }: Taken): boolean {
  const before = flags[name]
  if (table[name]?.kind === 'values') flags[name] = [...(Array.isArray(before) ? before : []), String(value)]
  else if (before === undefined || before === value) flags[name] = value
  else return false
  return true
}

/** Whether the word leaves its value to the next one. */
function takesNext(table: FlagTable, word: string): boolean {
  if (word.startsWith('--')) {
    const spec = own(table, word.slice(2))
    return spec !== undefined && spec.kind !== 'switch'
  }
  for (let index = 1; index < word.length; index += 1) {
    const name = longName(table, word.charAt(index))
    if (name === undefined) return false
    if (table[name]?.kind !== 'switch') return index === word.length - 1
  }
  return false
}

function own(table: FlagTable, name: string): FlagSpec | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function longName(table: FlagTable, char: string): string | undefined {
  return Object.keys(table).find((name) => table[name]?.char === char)
}
