import { fail } from '../errors/index.ts'

/** A key as the terminal may send it: its plain byte, or escape sequences of the extended keyboard protocols. */
export interface Key {
  readonly byte: number
  /** Code point of the unmodified key, as those protocols report it. */
  readonly code: number
  readonly ctrl: boolean
}

export interface Scanned {
  /** What the program gets. */
  readonly forward: Uint8Array
  readonly detach: boolean
}

const ESCAPE = 0x1b
const BRACKET = 0x5b

export const DEFAULT_DETACH_KEYS = 'ctrl-\\'

/** Docker's syntax: `ctrl-p,ctrl-q`, single characters and `ctrl-` with a letter or one of `@[\]^_`. Empty: none. */
export function parseDetachKeys(spec: string): readonly Key[] {
  if (spec === '') return []
  return spec.split(',').map((name) => parseKey(name, spec))
}

function parseKey(name: string, spec: string): Key {
  const control = /^ctrl-(.)$/i.exec(name)?.[1]?.toLowerCase()
  if (control !== undefined && /[a-z@[\\\]^_]/.test(control)) {
    return { byte: control.toUpperCase().charCodeAt(0) & 0x1f, code: control.charCodeAt(0), ctrl: true }
  }
  if (/^[\x21-\x7e]$/.test(name)) return { byte: name.charCodeAt(0), code: name.charCodeAt(0), ctrl: false }
  throw fail('invalid_argument', `detach keys ${JSON.stringify(spec)}: ${JSON.stringify(name)} is no key`, {
    hint: 'write keys as --detach-keys ctrl-p,ctrl-q; an empty value turns detaching by key off',
  })
}

/**
 * Looks for the detach keys in what is typed. Keys that may begin the sequence are held back until it is decided, so
 * that the program never sees a part of it.
 */
export class DetachScanner {
  private readonly keys: readonly Key[]
  private held: Uint8Array[] = []
  private matched = 0

  constructor(keys: readonly Key[]) {
    this.keys = keys
  }

  /** Whether some are held back. */
  get pending(): boolean {
    return this.matched > 0
  }

  /** Bytes a key of theirs may begin with: what has none of them, and comes while none are held back, need not be scanned. */
  get special(): readonly number[] {
    const [first] = this.keys
    return first === undefined ? [] : [first.byte, ESCAPE]
  }

  scan(chunk: Uint8Array): Scanned {
    if (this.keys.length === 0) return { forward: chunk, detach: false }
    const out: Uint8Array[] = []
    let from = 0
    for (let at = 0; at < chunk.length; ) {
      const length = this.match(chunk, at)
      // A key of the sequence that is let go does not interrupt it.
      const skip = length === 0 && this.matched > 0 ? released(chunk, at) : 0
      if (length + skip > 0) {
        out.push(chunk.subarray(from, at))
        at += length + skip
        this.held.push(chunk.subarray(at - length - skip, at))
        from = at
        if (length > 0) this.matched += 1
        if (this.matched === this.keys.length) return { forward: join(out), detach: true }
        continue
      }
      if (this.matched === 0) {
        at += 1
        continue
      }
      // Not the sequence after all: give the held keys back and look at this byte again as a possible beginning.
      out.push(...this.held, chunk.subarray(from, at))
      this.held = []
      this.matched = 0
      from = at
    }
    out.push(chunk.subarray(from))
    return { forward: join(out), detach: false }
  }

  /** Length of the next wanted key at that position, 0 when it is another. */
  private match(chunk: Uint8Array, at: number): number {
    const key = this.keys[this.matched]
    if (key === undefined) return 0
    if (chunk[at] === key.byte) return 1
    return extended(chunk, at, key)
  }
}

/** `CSI code;modifiers u` (kitty) and `CSI 27;modifiers;code ~` (xterm). */
function keySequence(chunk: Uint8Array, at: number): RegExpExecArray | null {
  if (chunk[at] !== ESCAPE || chunk[at + 1] !== BRACKET) return null
  const text = Buffer.from(chunk.buffer, chunk.byteOffset + at + 1, Math.min(chunk.length - at - 1, 40)).toString('latin1')
  return /^\[(?:(\d+)(?::\d*)*(?:;(\d+)(?::(\d+))?)?(?:;[\d:]*)?u|27;(\d+);(\d+)~)/.exec(text)
}

function released(chunk: Uint8Array, at: number): number {
  const found = keySequence(chunk, at)
  return found?.[3] === '3' ? found[0].length + 1 : 0
}

function extended(chunk: Uint8Array, at: number, key: Key): number {
  const found = keySequence(chunk, at)
  if (found === null || found[3] === '3') return 0
  const code = Number(found[1] ?? found[5])
  const modifiers = Number(found[2] ?? found[4] ?? 1) - 1
  // Caps lock (64) and num lock (128) make no other key of it.
  const wanted = key.ctrl ? 4 : 0
  return code === key.code && (modifiers & 0x3f) === wanted ? found[0].length + 1 : 0
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter((part) => part.length > 0)
  return filled.length === 1 && filled[0] !== undefined ? filled[0] : Buffer.concat(filled)
}
