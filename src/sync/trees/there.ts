import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { FileStat } from '../../contract/index.ts'
import { fail, hasCode } from '../../errors/index.ts'
import type { Sides } from '../sides.ts'
import { Far } from './far.ts'
import { type Names, type Ran, type Seen, type ShellOptions, type Survey, type Tree, parentsOf, splitZero } from './tree.ts'

const AT_ONCE = 16
/** Statuses of xargs when all it started ended well, or some found nothing. */
const FINE: ReadonlySet<number> = new Set([0, 123])
const NO_TOOL: ReadonlySet<number> = new Set([96, 126, 127])

const LIST = `if [ -e .git ] && git rev-parse --git-dir >/dev/null 2>&1
then printf 'git\\0'; git ls-files -z --cached --others --exclude-standard
else printf 'all\\0'; find . \\( -path ./.amux -o -name .git \\) -prune -o \\( -type f -o -type l \\) -print0
fi`
const LOOK = `find . -maxdepth 0 -printf '' 2>/dev/null || exit 96
xargs -0 sh -c 'find "$@" -maxdepth 0 -printf "%y %s %m %T@ %C@ %p\\0%l\\0" 2>/dev/null' sh`
const DIGEST = 'xargs -0 sha256sum 2>/dev/null'
const REMOVE = 'xargs -0 rm -f'
const EMPTY = 'xargs -0 rmdir 2>/dev/null; exit 0'
const GATHER = `mkdir -p "$1" && xargs -0 sh -c 'cp -pP --parents "$@" "$0" 2>/dev/null' "$1"`
// The first replaces all files at once, each atomically; where files cannot be linked, they are moved one by one.
const PLACE = `cp -RPlf "$1/." . 2>/dev/null || (
cd "$1" && find . ! -type d -exec sh -c 'for path do mkdir -p "$0/\${path%/*}" && mv -f "$path" "$0/$path" || exit 1; done' "$2" {} +
) || exit
rm -rf "$1"`

/** The project on a computer that does not see it. Needs only a POSIX shell there; what else is there makes it quick. */
export class There implements Tree {
  readonly where: string
  readonly root: string
  readonly scratch: string
  readonly #computer: Sides
  readonly #far: Far

  constructor(computer: Sides, root: string, scratch: string, signal: AbortSignal) {
    this.where = `on ${computer.name}`
    this.root = root
    this.scratch = scratch
    this.#computer = computer
    this.#far = new Far(computer, root, scratch, signal)
  }

  shell(script: string, options: ShellOptions = {}): Promise<Ran> {
    return this.#far.run(script, options)
  }

  async names(): Promise<Names> {
    const { code, output, said } = await this.shell(LIST)
    if (NO_TOOL.has(code)) return { git: false, paths: await this.#listSlowly('') }
    if (code !== 0) throw this.#failed('list the files', said)
    const [kind, ...paths] = splitZero(output)
    if (kind !== 'git' && kind !== 'all') throw fail('corrupt', `the files ${this.where} cannot be listed: the answer cannot be understood`)
    return { git: kind === 'git', paths: paths.map((path) => path.replace(/^\.\//u, '')) }
  }

  async look(paths: readonly string[]): Promise<Survey> {
    if (paths.length === 0) return new Map()
    const { code, output, said } = await this.shell(LOOK, { input: dotted(paths) })
    if (NO_TOOL.has(code)) return this.#lookSlowly(paths)
    if (!FINE.has(code)) throw this.#failed('look at the files', said)
    return parseFound(output)
  }

  async digest(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (paths.length === 0) return new Map()
    const { code, output, said } = await this.shell(DIGEST, { input: dotted(paths) })
    if (NO_TOOL.has(code)) return this.#digestSlowly(paths)
    if (!FINE.has(code)) throw this.#failed('read the files', said)
    const lines = output.toString('utf8').split('\n').map((line) => /^(\\?)([0-9a-f]{64}) [ *]\.\/(.*)$/su.exec(line))
    return new Map(lines.flatMap((line) => (line ? [[line[1] === '' ? (line[3] ?? '') : unescaped(line[3] ?? ''), line[2] ?? ''] as const] : [])))
  }

  async gone(paths: readonly string[]): Promise<ReadonlySet<string>> {
    const gone = new Set<string>()
    await each(paths, async (path) => {
      if (((await this.#stat(path))?.type ?? 'directory') === 'directory') gone.add(path)
    })
    return gone
  }

  async place(stage: string): Promise<void> {
    await this.#must(PLACE, { args: [stage, this.root] }, 'put the files in place')
  }

  async remove(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return
    await this.#must(REMOVE, { input: dotted(paths) }, 'delete files')
    const parents = [...new Set(paths.flatMap(parentsOf))].toSorted().toReversed()
    if (parents.length > 0) await this.shell(EMPTY, { input: dotted(parents) })
  }

  /** Copies files aside, so that they can be fetched in one stream. What vanished is left out. */
  async gather(stage: string, paths: readonly string[]): Promise<void> {
    const { code, said } = await this.shell(GATHER, { input: dotted(paths), args: [stage] })
    if (!FINE.has(code)) throw this.#failed('gather the files', said)
  }

  tidy(): Promise<void> {
    return this.#far.tidy()
  }

  async #stat(path: string): Promise<FileStat | undefined> {
    return this.#computer.files.stat(`${this.root}/${path}`).catch((error: unknown) => {
      if (hasCode(error, 'not_found', 'conflict')) return undefined
      throw error
    })
  }

  async #must(script: string, options: ShellOptions, what: string): Promise<Buffer> {
    const { code, output, said } = await this.shell(script, options)
    if (code !== 0) throw this.#failed(what, said)
    return output
  }

  #failed(what: string, said: string): Error {
    const { name } = this.#computer
    return fail('failed', `${name} cannot ${what} of ${this.root}${said === '' ? '' : `: ${said}`}`, { computer: name })
  }

  async #listSlowly(directory: string): Promise<string[]> {
    const paths: string[] = []
    for (const { path, type } of await this.#computer.files.list(posix.join(this.root, directory))) {
      const name = posix.join(directory, posix.basename(path))
      if (name === '.amux' || posix.basename(name) === '.git') continue
      if (type === 'directory') paths.push(...(await this.#listSlowly(name)))
      else paths.push(name)
    }
    return paths
  }

  async #lookSlowly(paths: readonly string[]): Promise<Survey> {
    const wanted = new Set(paths)
    const found = new Map<string, Seen>()
    const directories = new Set(paths.map((path) => posix.dirname(path)))
    await each([...directories], async (directory) => {
      const entries = await this.#computer.files.list(posix.join(this.root, directory)).catch((error: unknown) => {
        if (hasCode(error, 'not_found', 'conflict')) return []
        throw error
      })
      for (const { path, type, size, mode, mtime, target } of entries) {
        const name = posix.join(directory, posix.basename(path))
        if (wanted.has(name)) found.set(name, { type, size, mode: mode & 0o777, mtime: String(mtime), ...(target !== undefined && { target }) })
      }
    })
    return found
  }

  async #digestSlowly(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const digests = new Map<string, string>()
    await each(paths, async (path) => {
      const hash = createHash('sha256')
      try {
        for await (const chunk of this.#computer.files.read(`${this.root}/${path}`)) hash.update(chunk)
        digests.set(path, hash.digest('hex'))
      } catch (error) {
        if (!hasCode(error, 'not_found', 'conflict')) throw error
      }
    })
    return digests
  }
}

const types: Readonly<Record<string, Seen['type']>> = { f: 'file', l: 'link', d: 'directory' }

function parseFound(output: Buffer): Survey {
  const texts = output.toString('utf8').split('\0')
  const found = new Map<string, Seen>()
  for (let at = 0; at + 1 < texts.length; at += 2) {
    const [, type = '', size, mode = '', mtime = '', ctime = '', path = ''] = /^(\w) (\d+) ([0-7]+) (\S+) (\S+) \.\/(.*)$/su.exec(texts[at] ?? '') ?? []
    if (path === '') throw fail('corrupt', 'what the computer says of its files cannot be understood')
    const link = type === 'l' ? { target: texts[at + 1] ?? '' } : {}
    found.set(path, { type: types[type] ?? 'other', size: Number(size), mode: Number.parseInt(mode, 8) & 0o777, mtime, ctime, ...link })
  }
  return found
}

/** A leading dot: no name is taken for an option. */
function dotted(paths: readonly string[]): string {
  return paths.map((path) => `./${path}\0`).join('')
}

function unescaped(name: string): string {
  return name.replace(/\\([\\nr])/gu, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? '\\')
}

async function each(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  for (let at = 0; at < paths.length; at += AT_ONCE) await Promise.all(paths.slice(at, at + AT_ONCE).map(work))
}
