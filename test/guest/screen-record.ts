import { spawn } from '@lydell/node-pty'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Size } from './screen-tools.ts'

/** Wait until the output since the last step matches, then type. */
export type Step = readonly [expected: RegExp, keys: string]

export function installed(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Everything a real program wrote to its terminal while somebody used it, until the last step's text has appeared. */
export async function record(argv: readonly string[], size: Size, steps: readonly Step[], cwd: string): Promise<Buffer> {
  const [program = '', ...args] = argv
  const env = { PATH: process.env['PATH'], HOME: cwd, TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8', PS1: '$ ' }
  const pty = spawn(program, [...args], { ...size, cwd, env, encoding: null })
  const pieces: Buffer[] = []
  let since = ''
  let look = (): void => undefined
  // With no encoding the library delivers bytes, whatever its types say.
  pty.onData((data) => {
    const bytes = data as unknown as Buffer
    pieces.push(bytes)
    since += bytes.toString('latin1')
    look()
  })
  const shown = (expected: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${program} never showed ${String(expected)}: ${JSON.stringify(since.slice(-500))}`)), 10_000)
      look = () => {
        if (!expected.test(since)) return
        clearTimeout(late)
        since = ''
        look = () => undefined
        resolve()
      }
      look()
    })
  try {
    for (const [expected, keys] of steps) {
      await shown(expected)
      pty.write(keys)
    }
  } finally {
    pty.kill('SIGKILL')
  }
  return Buffer.concat(pieces)
}
