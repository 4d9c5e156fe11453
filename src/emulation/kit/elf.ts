import { type FileHandle, open } from 'node:fs/promises'

const PT_INTERP = 3

/** The loader a Linux program asks for, by its ELF header; undefined when it has none or is no such program. */
export async function interpreterOf(path: string): Promise<string | undefined> {
  const file = await open(path)
  try {
    const header = await bytesAt(file, 0, 64)
    const is64bit = header.readUInt32BE(0) === 0x7f454c46 && header.readUInt8(4) === 2 && header.readUInt8(5) === 1
    if (!is64bit) return undefined
    const [at, size, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(54), header.readUInt16LE(56)]
    const table = await bytesAt(file, at, size * count)
    for (let entry = 0; entry < count; entry++) {
      const segment = table.subarray(entry * size, (entry + 1) * size)
      if (segment.readUInt32LE(0) !== PT_INTERP) continue
      const name = await bytesAt(file, Number(segment.readBigUInt64LE(8)), Number(segment.readBigUInt64LE(32)))
      return name.toString('latin1').replace(/\0.*$/s, '')
    }
    return undefined
  } finally {
    await file.close()
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  await file.read(buffer, 0, length, position)
  return buffer
}
