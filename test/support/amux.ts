import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** amux's own package directory. */
export const root = join(import.meta.dirname, '../..')
export const bin = join(root, 'bin/run.js')

export interface Ran {
  /** Null when it died by a signal. */
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: stdin at its end. */
  readonly input?: string
  readonly signal?: AbortSignal
}

/** What would change how amux behaves. */
const own: ReadonlySet<string> = new Set(['AMUX_PROVIDER', 'NO_COLOR', 'FORCE_COLOR', 'DEBUG', 'CI'])

/** A home of amux's own and a project, both empty, and the built `amux` run there as a user runs it. */
export class Scratch {
  readonly path: string
  readonly home: string
  readonly project: string

  private constructor(path: string, home: string, project: string) {
    this.path = path
    this.home = home
    this.project = project
  }

  static async make(): Promise<Scratch> {
    const path = await mkdtemp(join(tmpdir(), 'amux-test-'))
    const [home, project] = [join(path, 'home'), join(path, 'project')]
    await Promise.all([mkdir(home), mkdir(project)])
    return new Scratch(path, home, project)
  }

  env(more: RunOptions['env'] = {}): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(([name]) => !own.has(name))
    return { ...Object.fromEntries(inherited), AMUX_HOME: this.home, ...more }
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { cwd = this.project, env, input = '', signal } = options
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [bin, ...args], { cwd, env: this.env(env), ...(signal && { signal, killSignal: 'SIGKILL' as const }) })
      const out: Buffer[] = []
      const err: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
      child.on('error', reject)
      child.on('close', (status) => resolve({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }))
      child.stdin.on('error', () => undefined)
      child.stdin.end(input)
    })
  }

  /** With `--json`; the document on stdout. */
  async json<T = unknown>(args: readonly string[], options: RunOptions = {}): Promise<{ readonly status: number | null; readonly document: T }> {
    const { status, stdout, stderr } = await this.run([...args, '--json'], options)
    try {
      return { status, document: JSON.parse(stdout) as T }
    } catch (cause) {
      throw new Error(`no JSON on stdout of amux ${args.join(' ')}: ${stdout}\n${stderr}`, { cause })
    }
  }

  async dispose(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

export interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string; readonly source: string; readonly provider?: string }
}
