export interface TarEntry {
  readonly name: string
  readonly data?: string
  /** A symbolic link to there. */
  readonly link?: string
  /** The type flag, where it is neither file nor link. */
  readonly type?: string
  readonly mode?: number
  readonly uid?: number
}

/** A tar archive made by hand, so that it may be as wrong as a test wants. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap((entry) => [header(entry), content(entry.data ?? '')]), Buffer.alloc(1024)])
}

function header({ name, data = '', link, type, mode = 0o644, uid = 0 }: TarEntry): Buffer {
  const block = Buffer.alloc(512)
  block.write(name, 0, 100)
  const number = (value: number, at: number, length: number) => block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  number(mode, 100, 8)
  number(uid, 108, 8)
  number(0, 116, 8)
  number(Buffer.byteLength(data), 124, 12)
  number(1_700_000_000, 136, 12)
  block.write(type ?? (link === undefined ? '0' : '2'), 156)
  block.write(link ?? '', 157, 100)
  block.write('ustar\u000000', 257)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function content(data: string): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}
