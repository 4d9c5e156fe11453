/** Kept whole up to here; of a longer sequence only the beginning, which says what it is. */
const WHOLE = 256 * 1024
const BEGINNING = 4096
const ESC = 0x1b

/**
 * The bytes since the last escape character: a picture taken in the middle of a sequence has to end with its beginning,
 * or a viewer would print the rest as text.
 */
export class Tail {
  #pieces: Uint8Array[] = []
  #size = 0

  add(chunk: Uint8Array): void {
    const escape = chunk.lastIndexOf(ESC)
    if (escape !== -1) {
      this.#pieces = [chunk.subarray(escape)]
      this.#size = chunk.length - escape
    } else if (this.#size < WHOLE) {
      this.#pieces.push(chunk)
      this.#size += chunk.length
    }
  }

  /** `open`: the parser stands inside a sequence. Otherwise a character may still be incomplete. */
  bytes(open: boolean): Uint8Array {
    const all = Buffer.concat(this.#pieces)
    if (!open) return incomplete(all)
    return all.length < WHOLE ? all : all.subarray(0, BEGINNING)
  }
}

/** The one to three bytes of a UTF-8 character whose end is missing. */
function incomplete(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte >= 0xc0) return back < length(byte) ? bytes.subarray(bytes.length - back) : new Uint8Array()
    if (byte < 0x80) break
  }
  return new Uint8Array()
}

function length(lead: number): number {
  if (lead >= 0xf0) return 4
  return lead >= 0xe0 ? 3 : 2
}
