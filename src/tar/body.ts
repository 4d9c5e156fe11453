import { write, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Entry } from './header.ts'
import type { TarReader } from './read.ts'
import { SMALL } from './tape.ts'

const writeAsync = promisify(write)

/** The content of the entry read last, into an open file. Of a small one a synchronous write is quicker than a trip to the thread pool. */
export async function writeBody(reader: TarReader, { size }: Entry, fd: number): Promise<void> {
  for (let piece = await reader.body(); piece !== undefined; piece = await reader.body()) {
    for (let done = 0; done < piece.length; ) done += size <= SMALL ? writeSync(fd, piece, done) : (await writeAsync(fd, piece, done)).bytesWritten
  }
}
