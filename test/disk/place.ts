import type { Context } from 'mocha'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const AMUX_DISK = join(import.meta.dirname, `../../src/emulation/native/prebuilt/linux-${process.arch}/amux-disk`)
export const isRoot = process.getuid?.() === 0

export interface Tree {
  readonly name: string
  readonly path: string
  readonly at: string
  readonly flags?: string
  readonly base?: string
  readonly except?: readonly string[]
}

export interface Failure {
  readonly number: number
  readonly step: string
  readonly subject: string
}

export interface Answer {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: Buffer
  readonly stderr: string
  /** What `done` or `recovered` carried. */
  readonly result: Record<string, unknown>
  readonly failure: Failure | undefined
}

/** A file system in memory where there is one with attributes: for tests that sync hundreds of times. */
export function quickDirectory(): string {
  const at = '/dev/shm'
  const probe = join(at, `amux-disk-probe-${process.pid}`)
  const good = spawnSync('bash', ['-c', `touch ${probe} && setfattr -n user.a -v 1 ${probe}; status=$?; rm -f ${probe}; exit $status`]).status === 0
  return good ? at : tmpdir()
}

/** A directory of its own with a tree `home` and a store. */
export class Place {
  readonly root: string
  readonly home: string
  store: string
  trees: Tree[]

  constructor(under = tmpdir()) {
    this.root = mkdtempSync(join(under, 'amux-disk-'))
    this.home = join(this.root, 'home')
    this.store = join(this.root, 'store')
    this.trees = [{ name: 'home', path: this.home, at: '/home/amux' }]
    mkdirSync(this.home)
  }

  request(paths: readonly string[] = [], more: readonly string[] = []): string {
    const trees = this.trees.map(({ name, path, at, flags = '', base = '' }) => ['tree', name, path, at, flags, base].join('\t'))
    const except = this.trees.flatMap(({ name, except = [] }) => except.map((entry) => `except\t${name}\t${entry}`))
    return [...trees, ...except, ...more, ...paths.map((path) => `path\t${path}`), 'end', ''].join('\n')
  }

  /** Runs the tool to its end, whatever that is. */
  try(args: readonly string[], options: { paths?: readonly string[]; fault?: string; input?: Buffer | string; env?: Readonly<Record<string, string>> } = {}): Answer {
    const [command = '', ...rest] = args
    const env = { ...process.env, ...options.env, ...(options.fault === undefined ? {} : { AMUX_DISK_FAULT: options.fault }) }
    const input = options.input ?? this.request(options.paths)
    return answer(spawnSync(AMUX_DISK, [command, this.store, ...rest], { input, env, maxBuffer: 1 << 28 }))
  }

  run(args: readonly string[], options: Parameters<Place['try']>[1] = {}): Record<string, unknown> {
    const got = this.try(args, options)
    if (got.status !== 0) throw new Error(`${args.join(' ')}: ${got.signal ?? got.status} ${got.stdout.toString()} ${got.stderr}`)
    return got.result
  }

  create(kind = 'v', ...flags: string[]): string {
    return String(this.run(['create', kind, '{"n":1}', ...flags])['id'])
  }

  restore(id: string, paths: readonly string[] = [], ...flags: string[]): Record<string, unknown> {
    return this.run(['restore', id, '{"safety":true}', ...flags], { paths })
  }

  list(): { id: string; time: number; entries: number; size: number; cost: number; meta: unknown }[] {
    return lines(this.try(['ls']).stdout) as ReturnType<Place['list']>
  }

  ids(): string[] {
    return this.list().map(({ id }) => id)
  }

  diff(...args: string[]): Record<string, unknown>[] {
    const got = this.try(['diff', ...args])
    if (got.status !== 0) throw new Error(got.stdout.toString())
    return lines(got.stdout)
  }

  /** A shell in the tree. */
  sh(script: string): string {
    return execFileSync('bash', ['-ec', script], { cwd: this.home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Bytes on disk that the store takes, apart from its few small files. */
  stored(): number {
    return this.packs().reduce((sum, pack) => sum + statSync(join(this.store, 'packs', pack)).blocks * 512, 0)
  }

  packs(): string[] {
    return existsSync(join(this.store, 'packs')) ? readdirSync(join(this.store, 'packs')) : []
  }

  start(args: readonly string[], env: Record<string, string> = {}): ReturnType<typeof spawn> {
    const [command = '', ...rest] = args
    return spawn(AMUX_DISK, [command, this.store, ...rest], { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  }

  [Symbol.dispose](): void {
    try {
      rmSync(this.root, { recursive: true, force: true })
    } catch {
      spawnSync('bash', ['-c', `chattr -R -f -i -a ${this.root}; rm -rf ${this.root}`])
    }
  }
}

function answer(done: { status: number | null; signal: string | null; stdout: Buffer; stderr: Buffer }): Answer {
  const text = done.stdout.length < 1 << 20 ? done.stdout.toString() : ''
  const result = /^(?:done|recovered|restore)\t(\{.*\})$/m.exec(text)?.[1]
  const error = /^error\t(\d+)\t([^\t]*)\t([^\t]*)\t/m.exec(`${text}\n${done.stderr.toString()}`)
  return {
    status: done.status,
    signal: done.signal,
    stdout: done.stdout,
    stderr: done.stderr.toString(),
    result: result === undefined ? {} : (JSON.parse(result) as Record<string, unknown>),
    failure: error === null ? undefined : { number: Number(error[1]), step: error[2] ?? '', subject: error[3] ?? '' },
  }
}

function lines(bytes: Buffer): Record<string, unknown>[] {
  return bytes
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** Never in silence. */
export function leaveOut(test: Context, reason: string): never {
  process.stderr.write(`NOT TESTED: ${test.test?.fullTitle() ?? 'amux-disk'}: ${reason}\n`)
  return test.skip()
}
