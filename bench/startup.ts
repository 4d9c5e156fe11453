/** How long a command takes to be up, beside an empty Node. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Row, ms, race } from './measure.ts'

const ROUNDS = 21
const bin = join(import.meta.dirname, '../bin/run.js')

/** Any command; what shells and prompts run all the time. */
const limits = { any: 3.3, instant: 1.4 } as const

const commands: Readonly<Record<string, keyof typeof limits>> = {
  '--version': 'instant',
  'autocomplete script bash': 'instant',
  '--help': 'any',
  'computer --help': 'any',
  'computer exec --help': 'any',
  status: 'any',
  'provider ls': 'any',
  'computer ls -P local': 'any',
  plugins: 'any',
  'no such command': 'any',
}

export default async function startup(): Promise<readonly Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'amux-bench-'))
  const run = (argv: readonly string[]) => () => {
    const { error } = spawnSync(process.execPath, argv, { cwd: home, env: { ...process.env, AMUX_HOME: home }, stdio: 'ignore' })
    if (error) throw error
  }
  try {
    const contestants = Object.fromEntries(Object.keys(commands).map((command) => [command, run([bin, ...command.split(' ')])]))
    const times = await race<string>(ROUNDS, { ...contestants, empty: run(['-e', '0']) })
    const empty = times['empty'] ?? Number.NaN
    return Object.entries(commands).map(([command, kind]) => row(command, times[command] ?? Number.NaN, empty, limits[kind]))
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function row(command: string, time: number, empty: number, limit: number): Row {
  const ratio = time / empty
  return { what: `start: amux ${command}`, ours: ms(time), peer: `node -e 0: ${ms(empty)}`, ratio, target: `<= ${limit} x`, met: ratio <= limit }
}
