import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { type BigIntStats, createReadStream, lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, unlinkSync } from 'node:fs'
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, normalise } from '../../errors/index.ts'
import { collect } from '../../util/streams.ts'
import { Place, isCode } from '../place.ts'
import { gitFiles } from '../scan.ts'
import { type Names, type Ran, type Seen, type ShellOptions, type Survey, type Tree, parentsOf } from './tree.ts'

const AT_ONCE = 64
/** Up to here it is quicker to wait than to go through the thread pool. */
const SMALL = 256 * 1024
const LONGEST = 256 * 1024 * 1024

/** The project on this machine. */
export class Here implements Tree {
  readonly where = 'here'
  readonly root: string
  /** The directory of its own below the root. */
  readonly scratch: string
  readonly #signal: AbortSignal

  constructor(root: string, scratch: string, signal: AbortSignal) {
    this.root = root
    this.scratch = scratch
    this.#signal = signal
  }

  async names(): Promise<Names> {
    const git = (await readdir(this.root)).includes('.git')
    return { git, paths: git ? await gitFiles(this.root, this.#signal) : await this.#below('') }
  }

  async look(paths: readonly string[]): Promise<Survey> {
    const found = new Map<string, Seen>()
    for (const path of paths) {
      const seen = see(`${this.root}/${path}`)
      if (seen) found.set(path, seen)
    }
    return found
  }

  async digest(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const digests = new Map<string, string>()
    await this.#each(paths, async (path) => {
      const digest = await digestOf(join(this.root, path))
      if (digest !== undefined) digests.set(path, digest)
    })
    return digests
  }

  async gone(paths: readonly string[]): Promise<ReadonlySet<string>> {
    const there = await this.look(paths)
    return new Set(paths.filter((path) => (there.get(path)?.type ?? 'directory') === 'directory'))
  }

  async place(stage: string, paths: readonly string[]): Promise<void> {
    const from = await Place.open(join(this.root, stage))
    const to = await Place.open(this.root, (path) => mkdirSync(path, { mode: 0o755 }))
    try {
      for (const path of paths.toSorted()) {
        const parts = path.split('/')
        const name = parts.pop() ?? ''
        renameSync(`${await from.enter(parts)}/${name}`, `${await to.enter(parts)}/${name}`)
      }
    } finally {
      await from.close()
      await to.close()
    }
  }

  async remove(paths: readonly string[]): Promise<void> {
    const place = await Place.open(this.root)
    try {
      for (const path of paths) {
        const parts = path.split('/')
        const name = parts.pop() ?? ''
        unlinkSync(`${await place.enter(parts)}/${name}`)
      }
      const parents = new Set(paths.flatMap(parentsOf))
      for (const parent of [...parents].toSorted().toReversed()) {
        const parts = parent.split('/')
        const name = parts.pop() ?? ''
        // It goes once nothing is in it.
        await rmdir(`${await place.enter(parts)}/${name}`).catch(() => undefined)
      }
    } finally {
      await place.close()
    }
  }

  async tidy(): Promise<void> {
    await rm(join(this.root, this.scratch), { recursive: true, force: true })
  }

  async shell(script: string, { args = [], input = '' }: ShellOptions = {}): Promise<Ran> {
    const program = spawn('/bin/sh', ['-c', script, 'sh', ...args], { cwd: this.root, stdio: 'pipe', signal: this.#signal, env: { ...process.env, LC_ALL: 'C' } })
    const ended = new Promise<number>((resolve, reject) => {
      program.once('error', reject)
      program.once('close', (code) => resolve(code ?? 128))
    })
    // A program that ends early says why by its status.
    program.stdin.on('error', () => undefined)
    program.stdin.end(input)
    const [code, output, said] = await Promise.all([ended, collect(program.stdout, LONGEST), collect(program.stderr)])
    return { code, output, said: said.toString().trim() }
  }

  async #below(directory: string): Promise<string[]> {
    const paths: string[] = []
    for (const entry of await readdir(join(this.root, directory), { withFileTypes: true })) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.name === '.git' || path === '.amux') continue
      if (entry.isDirectory()) paths.push(...(await this.#below(path)))
      else paths.push(path)
    }
    return paths
  }

  async #each(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      this.#signal.throwIfAborted()
      await Promise.all(paths.slice(at, at + AT_ONCE).map(work))
    }
  }
}

function see(path: string): Seen | undefined {
  try {
    const stat = lstatSync(path, { bigint: true })
    const { size, mode, mtimeNs, ctimeNs } = stat
    const target = stat.isSymbolicLink() ? readlinkSync(path) : undefined
    return { type: typeOf(stat), size: Number(size), mode: Number(mode & 0o777n), mtime: String(mtimeNs), ctime: String(ctimeNs), ...(target !== undefined && { target }) }
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw normalise(error)
  }
}

function typeOf(stat: BigIntStats): Seen['type'] {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  return stat.isSymbolicLink() ? 'link' : 'other'
}

async function digestOf(path: string): Promise<string | undefined> {
  try {
    const stat = lstatSync(path)
    // A computer may have sent a link to something that never ends.
    if (!stat.isFile()) return undefined
    if (stat.size <= SMALL) return createHash('sha256').update(readFileSync(path)).digest('hex')
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path, { highWaterMark: SMALL })) hash.update(chunk as Buffer)
    return hash.digest('hex')
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    const { code, message } = normalise(error)
    throw fail(code, `${path} cannot be read: ${message}`, { cause: error })
  }
}
