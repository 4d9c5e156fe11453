import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { paths } from '../../config/index.ts'
import type { GuestKit } from '../../contract/index.ts'
import { fail } from '../../errors/index.ts'
import { nodeFor, PINNED_NODE } from './node.ts'

export interface KitOptions {
  /** Directory with `guest.js` and `native/`. Default: amux's own, as built. */
  readonly scripts?: string
  readonly cache?: string
  /** Directory of the programs that work aside. Default: amux's own, as built. */
  readonly tools?: string
}

/** The files that make a guest. `root` is amux's own package. Looks at nothing before it is asked. */
export function guestKit(root: string, options: KitOptions = {}): GuestKit {
  const directory = options.scripts ?? join(root, 'dist', 'guest')
  const nodes = new Map<string, Promise<string>>()
  const tools = options.tools ?? join(root, 'dist', 'tools')
  let version: string | undefined
  let toolsVersion: string | undefined
  const scripts = () => {
    if (existsSync(join(directory, 'guest.js'))) return directory
    throw fail('internal', `amux is not built: ${directory} has no guest.js`, { hint: 'In a source checkout: npm run build' })
  }
  return {
    get scripts() {
      return scripts()
    },
    get npm() {
      return dirname(createRequire(join(root, 'package.json')).resolve('npm/package.json'))
    },
    get version() {
      return (version ??= fingerprint(scripts()))
    },
    get toolsVersion() {
      return (toolsVersion ??= toolsFingerprint(tools))
    },
    async init(arch) {
      const path = join(scripts(), 'native', `amux-init-linux-${arch}`)
      if (existsSync(path)) return path
      throw fail('unsupported', `amux has no guest for computers of architecture ${arch}`, { hint: 'Computers are x64 or arm64.' })
    },
    async tools(arch) {
      const path = join(tools, `linux-${arch}`)
      if (existsSync(path)) return path
      throw fail('unsupported', `amux has no tools for machines of architecture ${arch}`, { hint: 'They are for x64 and arm64.' })
    },
    node(arch) {
      const known = nodes.get(arch) ?? nodeFor(arch, { root, cache: options.cache ?? paths().cache })
      nodes.set(arch, known)
      known.catch(() => nodes.delete(arch))
      return known
    },
  }
}

/** Files of a kit beside the native ones, by name. */
export function kitFiles(scripts: string): readonly string[] {
  return readdirSync(scripts, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.map'))
    .map((entry) => entry.name)
    .toSorted()
}

function toolsFingerprint(tools: string): string {
  const hash = createHash('sha256')
  const files = existsSync(tools) ? readdirSync(tools, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()) : []
  for (const path of files.map(({ parentPath, name }) => join(parentPath, name)).toSorted()) hash.update(path.slice(tools.length)).update('\0').update(readFileSync(path))
  return hash.digest('hex').slice(0, 16)
}

function fingerprint(scripts: string): string {
  const hash = createHash('sha256').update(PINNED_NODE).update(process.versions.node)
  const natives = join(scripts, 'native')
  const all = [
    ...kitFiles(scripts).map((name) => join(scripts, name)),
    ...(existsSync(natives) ? readdirSync(natives).filter((name) => name.startsWith('amux-init')).toSorted().map((name) => join(natives, name)) : []),
  ]
  for (const file of all) hash.update(file.slice(scripts.length)).update('\0').update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}
