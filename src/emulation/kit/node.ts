import { randomUUID } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fail } from '../../errors/index.ts'
import { interpreterOf } from './elf.ts'

/** What the guest needs. */
export const OLDEST_NODE = [22, 12] as const
/** What is fetched where this machine's own does not fit. */
export const PINNED_NODE = '24.21.0'

const pins: Readonly<Record<string, string>> = {
  x64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
}

const loaders: Readonly<Record<string, string>> = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' }
/** Smaller than this, most of it is in shared libraries that another computer does not have. */
const WHOLE = 50 * 1024 * 1024

export interface NodeSource {
  readonly cache: string
  /** amux's package, from where npm is found. */
  readonly root: string
}

/** A Node binary for Linux computers of that architecture, in amux's cache. */
export async function nodeFor(arch: string, source: NodeSource): Promise<string> {
  const own = arch === process.arch && (await fitsElsewhere(process.execPath))
  const version = own ? process.versions.node : PINNED_NODE
  const path = join(source.cache, 'node', `${version}-${arch}`, 'node')
  if (existsSync(path)) return path
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomUUID()}`
  try {
    if (own) await copyFile(process.execPath, temporary, constants.COPYFILE_FICLONE)
    else await fetchPinned(arch, temporary, source.root)
    await chmod(temporary, 0o755)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
  return path
}

async function fetchPinned(arch: string, to: string, root: string): Promise<void> {
  const integrity = pins[arch]
  if (integrity === undefined) throw fail('unsupported', `amux has no Node for computers of architecture ${arch}`, { hint: 'Use a computer that is x64 or arm64, or one with Node 22.12 or newer.' })
  const { fetchNode } = await import('./download.ts')
  await fetchNode({ name: `node-linux-${arch}`, version: PINNED_NODE, integrity }, to, root)
}

/** Whether it runs on any glibc computer: new enough, whole, and with the ordinary loader. */
async function fitsElsewhere(path: string): Promise<boolean> {
  if (process.platform !== 'linux' || !isNewEnough(process.versions.node)) return false
  if ((await stat(path)).size < WHOLE) return false
  return (await interpreterOf(path)) === loaders[process.arch]
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
}
