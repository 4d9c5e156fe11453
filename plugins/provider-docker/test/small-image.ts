import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const PROGRAMS = ['sh', 'cat', 'ls', 'mv', 'rm', 'mkdir', 'sleep', 'id', 'stat', 'wc', 'sha256sum', 'head', 'seq', 'sort', 'getent', 'nft', 'sync']

export function found(program: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

/** A system small enough to be copied at once, as a tar: programs of this machine and what they and Node are linked with. */
export function smallImage(dir: string): string {
  const root = join(dir, 'root')
  for (const path of ['usr/bin', 'etc/lower/sub', 'tmp', 'opt', 'root']) mkdirSync(join(root, path), { recursive: true })
  symlinkSync('usr/bin', join(root, 'bin'))
  for (const name of ['one', 'sub/two']) writeFileSync(join(root, 'etc/lower', name), `${name} of the image\n`)
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  const files = PROGRAMS.flatMap((name) => found(name) ?? [])
  for (const file of files) copyFileSync(realpathSync(file), join(root, 'usr/bin', file.split('/').at(-1) ?? ''))
  const linked = execFileSync('ldd', [...files, process.execPath], { encoding: 'utf8' })
  for (const [, library = ''] of linked.matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm)) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    copyFileSync(realpathSync(library), join(root, library))
  }
  // Everybody writes there.
  for (const path of ['tmp', 'opt']) chmodSync(join(root, path), 0o1777)
  const tar = join(dir, 'small.tar')
  execFileSync('tar', ['-C', root, '-cf', tar, '.'])
  return tar
}
