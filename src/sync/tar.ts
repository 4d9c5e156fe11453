import type { ByteSource } from '../contract/index.ts'
import { type CopyOptions, type Sides, counted, mustBeDirectory, stripped } from './sides.ts'

/** A tar stream straight through. */
export function readTar(computer: Sides, from: string, options: CopyOptions): ByteSource {
  return counted(computer.archive.read(stripped(from), { signal: options.signal }), options)
}

/** A file's bytes straight through. */
export function readFile(computer: Sides, from: string, options: CopyOptions): ByteSource {
  return counted(computer.files.read(stripped(from), { signal: options.signal }), options)
}

export async function writeTar(computer: Sides, to: string, tar: ByteSource, options: CopyOptions): Promise<void> {
  await mustBeDirectory(computer, to)
  return computer.archive.write(to, counted(tar, options), { signal: options.signal })
}
