import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import type { Computer, ComputerInfo, ExitStatus, Process } from 'amux/provider'
import { fail } from './provider.ts'

type Saved = Omit<ComputerInfo, 'state'> & { env: Record<string, string> }

export function openComputer(root: string, name: string): Computer {
  const directory = `${root}/${name}`
  const home = `${directory}/home`
  const { username, uid, gid } = userInfo()

  async function saved(): Promise<Saved> {
    // Only a real "not there" is `not_found`: any other failure passes as itself.
    return JSON.parse(await readFile(`${directory}/record`, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? fail('not_found', `there is no computer ${name}`) : error
    }))
  }
  const isRunning = async () => !(await stat(`${directory}/stopped`).catch(() => undefined))

  /** Whatever has the computer's mark in its environment, which children inherit. */
  async function programs(): Promise<readonly number[]> {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid)
    const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')))
    return pids.filter((_, index) => environments[index]?.includes(`EXAMPLE_COMPUTER=${directory}\0`))
  }

  const computer: Computer = {
    name,
    async info() {
      const { env: _, ...rest } = await saved()
      return { ...rest, state: (await isRunning()) ? 'running' : 'stopped', user: { name: username, uid, gid, home } }
    },
    async start() {
      await saved()
      await rm(`${directory}/stopped`, { force: true })
    },
    async stop() {
      await saved()
      await writeFile(`${directory}/stopped`, '')
      for (let left = await programs(); left.length > 0; left = await programs()) {
        // Some may have ended since: that is no failure.
        spawnSync('kill', ['-KILL', ...left.map(String)])
        await new Promise((done) => setTimeout(done, 10))
      }
    },
    async delete() {
      await computer.stop()
      await rm(directory, { recursive: true })
    },
    async spawn(argv, { cwd, env, tty, user, signal } = {}) {
      signal?.throwIfAborted()
      const { workspace = home, env: own } = await saved()
      const place = cwd === undefined ? workspace : resolve(home, cwd)
      // An option that would have no effect is refused by name, never ignored.
      if (tty) throw fail('unsupported', 'programs get no terminal here')
      if (user && ![username, `${uid}`].includes(user)) throw fail('unsupported', `programs run as ${username}`)
      if (!(await isRunning())) throw fail('not_running', `${name} is stopped`)
      if (!(await stat(place).catch(() => undefined))?.isDirectory()) throw fail('not_found', `there is no directory ${place}`)
      return startProcess(argv, place, { PATH: process.env['PATH'], HOME: home, EXAMPLE_COMPUTER: directory, ...own, ...env }, signal)
    },
  }
  return computer
}

async function startProcess([program = '', ...args]: readonly string[], cwd: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<Process> {
  const child = spawn(program, args, { cwd, env, detached: true })
  const exit = new Promise<ExitStatus>((resolve, reject) => {
    child.once('exit', (code, name) => resolve(name === null ? { code: code ?? 0 } : { signal: name }))
    signal?.addEventListener('abort', () => child.kill('SIGKILL') && reject(fail('aborted', 'killed on request')))
  })
  child.stdin.on('error', () => {})
  await once(child, 'spawn').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? fail('program_not_found', `there is no ${program}`) : fail('program_not_executable', `${program} cannot be executed`)
  })
  return {
    // Each promise settles when the next chunk may come: that is the backpressure.
    stdin: {
      write: (chunk) => new Promise((resolve, reject) => child.stdin.write(chunk, (error) => (error ? reject(error) : resolve()))),
      end: () => new Promise((resolve) => child.stdin.end(resolve)),
    },
    stdout: child.stdout,
    stderr: child.stderr,
    exit,
    kill: async (name = 'SIGTERM') => void child.kill(name as NodeJS.Signals),
    resize: () => Promise.reject(fail('invalid_argument', 'it has no terminal')),
  }
}
