/** From nothing to a first command, and from a shortcut to an agent's first byte. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Scratch } from '../test/support/amux.ts'
import { disposeAll } from '../test/support/computers.ts'
import { type Row, median, ms, race } from './measure.ts'

const ROUNDS = 7
const CREATE_LIMIT = 500
const AGENT_LIMIT = 300

export default async function life(): Promise<readonly Row[]> {
  const scratch = await Scratch.make()
  try {
    return [await creation(scratch), await shortcut(scratch)]
  } finally {
    await disposeAll(scratch)
  }
}

/** Two processes, as a user types them: `create`, then `exec -- true`. */
async function creation(scratch: Scratch): Promise<Row> {
  const times: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now()
    await expect(scratch, ['computer', 'create', '--provider', 'local'])
    await expect(scratch, ['computer', 'exec', '--', 'true'])
    // The first round also makes the guest's own copy of Node, once per machine.
    if (round > 0) times.push(performance.now() - start)
    await expect(scratch, ['computer', 'rm', '--yes'])
  }
  const time = median(times)
  return { what: 'create to first command (local)', ours: ms(time), peer: '', target: `<= ${CREATE_LIMIT} ms`, met: time <= CREATE_LIMIT }
}

async function shortcut(scratch: Scratch): Promise<Row> {
  await expect(scratch, ['computer', 'create', '--provider', 'local'])
  await expect(scratch, ['claude', '--', '--version'])
  const { amux, alone } = await race(ROUNDS, {
    amux: () => firstByte(scratch, ['claude', '--', '--version']),
    alone: () => firstByte(scratch, ['computer', 'exec', '--', 'claude', '--version']),
  })
  const more = amux - alone
  return {
    what: 'amux claude, second time, first byte',
    ours: ms(amux),
    peer: `the program alone by exec: ${ms(alone)}`,
    target: `<= ${AGENT_LIMIT} ms more`,
    met: more <= AGENT_LIMIT,
  }
}

async function firstByte(scratch: Scratch, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [new URL('../bin/run.js', import.meta.url).pathname, ...args], {
    cwd: scratch.project,
    env: scratch.env(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.stdout.resume()
  if (child.exitCode === null) await once(child, 'exit')
}

async function expect(scratch: Scratch, args: readonly string[]): Promise<void> {
  const { status, stderr } = await scratch.run(args)
  if (status !== 0) throw new Error(`amux ${args.join(' ')} ended with ${status}: ${stderr}`)
}
