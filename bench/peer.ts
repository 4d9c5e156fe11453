/** A Docker container with this machine's own few programs in it: the peer of what we measure. */
import { execFileSync, spawnSync } from 'node:child_process'

const IMAGE = 'amux-bench-peer'
const PROGRAMS = ['/bin/sh', '/bin/sleep', '/bin/true', '/bin/cat', '/usr/bin/head']

export interface Peer {
  /** Before the program's own words. */
  readonly command: readonly string[]
  dispose(): void
}

/** Undefined where no engine answers. */
export function dockerPeer(): Peer | undefined {
  if (spawnSync('docker', ['version'], { stdio: 'ignore', timeout: 10_000 }).status !== 0) return undefined
  const rootfs = execFileSync('tar', ['-ch', '-C', '/', '-f', '-', ...files()], { maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'ignore'] })
  execFileSync('docker', ['import', '-', IMAGE], { input: rootfs, stdio: ['pipe', 'ignore', 'inherit'] })
  const id = execFileSync('docker', ['run', '-d', '--rm', IMAGE, '/bin/sleep', '100000'], { encoding: 'utf8' }).trim()
  return {
    command: ['docker', 'exec', id],
    dispose: () => void spawnSync('docker', ['rm', '-f', id], { stdio: 'ignore' }),
  }
}

/** The programs and the libraries they load, relative to the root. */
function files(): readonly string[] {
  const libraries = PROGRAMS.flatMap((program) => execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+\.so[.\d]*/g) ?? [])
  return [...new Set([...PROGRAMS, ...libraries])].map((path) => path.slice(1))
}
