import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { EquippedComputer, GuestKit } from '../contract/index.ts'
import { hasCode } from '../errors/index.ts'
import { pack } from '../sync/index.ts'
import { ask, script } from './ask.ts'
import type { Findings } from './probe.ts'

/** How to run npm on a computer. */
export interface Toolchain {
  readonly npm: readonly string[]
  /** PATH for it and for what it starts. */
  readonly path: string
  /** Set where the computer's own Node.js is too old or missing: programs that need one run with this. */
  readonly node?: string
}

export interface ToolchainOptions {
  /** Where a Node binary for the computer comes from. */
  readonly node: GuestKit['node']
  progress(text: string): void
  readonly signal: AbortSignal
}

/** The computer's own npm, if its Node.js is new enough; else amux's, brought along once. Each piece appears whole. */
export async function toolchain(computer: EquippedComputer, found: Findings, options: ToolchainOptions): Promise<Toolchain> {
  if (found.npm !== undefined && found.node !== undefined) return { npm: [found.npm], path: found.path }
  const lib = `${found.home}/.local/lib/amux`
  const node = `${lib}/bin/node`
  const { version, directory } = ownNpm()
  const npm = `${lib}/npm-${version}`
  if (!(await exists(computer, node))) await bringNode(computer, node, found, options)
  if (!(await exists(computer, npm))) await bringNpm(computer, directory, npm, options)
  return { npm: [node, `${npm}/bin/npm-cli.js`], path: `${lib}/bin:${found.path}`, node }
}

/** A copy of the one the guest runs on, which may be replaced some day, if there is one; else it takes the long way. */
async function bringNode(computer: EquippedComputer, path: string, { arch: machine, guestNode }: Findings, options: ToolchainOptions): Promise<void> {
  if (guestNode !== undefined) {
    const { status } = await ask(computer, script(COPY, guestNode, path), { signal: options.signal })
    if (status === 0) return
  }
  options.progress(`Bringing Node.js to ${computer.name}`)
  const binary = await options.node(nodeArch(machine))
  await computer.files.write(path, createReadStream(binary, { highWaterMark: 256 * 1024 }), { mode: 0o755, parents: true, signal: options.signal })
}

const COPY = `
mkdir -p "\${2%/*}" && cp -- "$1" "$2.$$" && chmod 755 "$2.$$" && "$2.$$" --version > /dev/null && mv -f "$2.$$" "$2" && exit
rm -f "$2.$$"; exit 1
`

async function bringNpm(computer: EquippedComputer, directory: string, path: string, options: ToolchainOptions): Promise<void> {
  options.progress(`Bringing npm to ${computer.name}`)
  const draft = `${path}.${process.pid}`
  await computer.archive.write(draft, pack(directory, ['.']), { signal: options.signal })
  try {
    await computer.files.rename(draft, path)
  } catch (error) {
    // Somebody else brought it meanwhile.
    await computer.files.remove(draft, { recursive: true })
    if (!(await exists(computer, path))) throw error
  }
}

function ownNpm(): { version: string; directory: string } {
  const load = createRequire(import.meta.url)
  const manifest = load.resolve('npm/package.json')
  const { version } = load(manifest) as { version: string }
  return { version, directory: dirname(manifest) }
}

/** As Node names it. */
function nodeArch(machine: string): string {
  return machine === 'aarch64' || machine === 'arm64' ? 'arm64' : 'x64'
}

async function exists(computer: EquippedComputer, path: string): Promise<boolean> {
  try {
    await computer.files.stat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'not_found')) return false
    throw error
  }
}
