/** Builds tar archives byte by byte, so that they may contain what no tool would write. */
export interface Part {
  readonly name: string
  readonly flag?: string
  readonly mode?: number
  readonly size?: number
  readonly target?: string
  readonly body?: string | Uint8Array
  /** Pax records put before it. */
  readonly pax?: Readonly<Record<string, string>>
  readonly checksum?: number
}

export function tar(...parts: readonly Part[]): Buffer {
  return Buffer.concat([...parts.map(part), Buffer.alloc(1024)])
}

export function part({ name, flag = '0', mode = 0o644, size, target = '', body = '', pax, checksum }: Part): Buffer {
  const bytes = Buffer.from(body)
  const header = Buffer.alloc(512)
  header.write(name, 0, 100)
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
  header.write('0000000\x000000000\0', 108)
  header.write(`${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124)
  header.write('14000000000\0', 136)
  header.write('        ', 148)
  header.write(flag, 156)
  header.write(target, 157, 100)
  header.write('ustar\x0000', 257)
  const sum = checksum ?? header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const before = pax === undefined ? Buffer.alloc(0) : part({ name: 'pax', flag: 'x', body: Object.entries(pax).map(record).join('') })
  return Buffer.concat([before, header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

function record([key, value]: readonly [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + 1
  while (rest + String(length).length !== length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}
