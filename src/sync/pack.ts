import type { ByteSource } from '../contract/index.ts'

/**
 * A tar stream of files and directories below `cwd`, as they are: links stay links. `rename` gives the first path
 * component another name.
 */
export async function* pack(cwd: string, paths: readonly string[], rename?: { readonly from: string; readonly to: string }): ByteSource {
  const { Pack } = await import('tar')
  const stream = new Pack({
    cwd,
    // Names of users on this machine mean nothing there.
    portable: false,
    preservePaths: false,
    onWriteEntry: (entry) => {
      entry.path = renamed(entry.path.replace(/^\.\//u, ''), rename)
    },
  })
  // A leading "./": the library reads a name that begins with "@" as an archive to include.
  for (const path of paths) stream.add(`./${path}`)
  stream.end()
  yield* stream
}

function renamed(path: string, rename: { readonly from: string; readonly to: string } | undefined): string {
  if (!rename) return path
  if (path === rename.from || path === `${rename.from}/`) return rename.to
  return path.startsWith(`${rename.from}/`) ? `${rename.to}${path.slice(rename.from.length)}` : path
}
