import type { ByteSource } from '../../../../../src/contract/index.ts'
import type { Served } from '../sprite/served.ts'

/** A file in `/.sprite/checkpoints/ID/…`: a sprite has its checkpoints there. Undefined for any other path. */
export function readCheckpoint({ computer }: Served, path: string): ByteSource | undefined {
  const [, id, rest] = /^\/\.sprite\/checkpoints\/([^/]+)(\/.*)?$/.exec(path) ?? []
  return id === undefined ? undefined : computer.checkpoints.read(id, rest ?? '/')
}
