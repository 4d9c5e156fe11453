/** A program on a running local computer, as a user starts it, beside `docker exec`. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Scratch, bin } from '../test/support/amux.ts'
import { disposeAll } from '../test/support/computers.ts'
import { type Row, median, ms, race } from './measure.ts'
import { type Peer, dockerPeer } from './peer.ts'

const ROUNDS = 21
const BIG = 2 ** 30
const MEMORY_LIMIT = 150

export default async function exec(): Promise<readonly Row[]> {
  const scratch = await Scratch.make()
  const peer = dockerPeer()
  try {
    const { status, stderr } = await scratch.run(['computer', 'create', '-P', 'local'])
    if (status !== 0) throw new Error(stderr)
    return [await short(scratch, peer), ...(await throughput(scratch, peer))]
  } finally {
    peer?.dispose()
    await disposeAll(scratch)
  }
}

async function short(scratch: Scratch, peer: Peer | undefined): Promise<Row> {
  const run = ([command = '', ...args]: readonly string[]) => () => {
    const { status } = spawnSync(command, args, { cwd: scratch.project, env: scratch.env(), stdio: 'ignore' })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`)
  }
  const times = await race<string>(ROUNDS, {
    amux: run([process.execPath, bin, 'computer', 'exec', '--', 'true']),
    empty: run([process.execPath, '-e', '0']),
    ...(peer && { docker: run([...peer.command, 'true']) }),
  })
  const [amux, empty, docker] = [times['amux'] ?? Number.NaN, times['empty'] ?? Number.NaN, times['docker']]
  const what = 'amux computer exec -- true'
  if (docker === undefined) return { what, ours: ms(amux), peer: `no Docker; node -e 0: ${ms(empty)}`, ratio: amux / empty, target: '<= 2.2 x node', met: amux / empty <= 2.2 }
  return { what, ours: ms(amux), peer: `docker exec: ${ms(docker)}, node -e 0: ${ms(empty)}`, ratio: amux / docker, target: '<= 1.0 x docker', met: amux <= docker }
}

async function throughput(scratch: Scratch, peer: Peer | undefined): Promise<readonly Row[]> {
  const ours: Flow[] = []
  const theirs: Flow[] = []
  for (let round = 0; round < 5; round++) {
    ours.push(await flow(scratch, [process.execPath, bin, 'computer', 'exec', '--']))
    if (peer) theirs.push(await flow(scratch, peer.command))
  }
  const speed = median(ours.map((one) => one.speed))
  const other = median(theirs.map((one) => one.speed))
  const memory = Math.max(...ours.map((one) => one.memory))
  return [
    {
      what: 'exec -- head -c 1G /dev/zero, to a pipe',
      ours: `${speed.toFixed(0)} MB/s`,
      peer: peer ? `docker exec: ${other.toFixed(0)} MB/s` : 'no Docker',
      ...(peer && { ratio: speed / other }),
      target: '>= 1.0 x docker',
      met: peer === undefined || speed >= other,
    },
    { what: 'the client meanwhile, memory', ours: `${memory.toFixed(0)} MB`, peer: '', target: `< ${MEMORY_LIMIT} MB`, met: memory < MEMORY_LIMIT },
  ]
}

interface Flow {
  /** MB/s */
  readonly speed: number
  /** The client's most, in MB. */
  readonly memory: number
}

/** Through a real pipe to a `cat` that throws it away. */
async function flow(scratch: Scratch, command: readonly string[]): Promise<Flow> {
  const begun = performance.now()
  const client = spawn('/bin/bash', ['-c', 'exec "$@" > >(cat >/dev/null)', 'bash', ...command, 'head', '-c', String(BIG), '/dev/zero'], {
    cwd: scratch.project,
    env: scratch.env(),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let memory = 0
  const look = setInterval(() => (memory = Math.max(memory, peak(client.pid ?? 0))), 25)
  await once(client, 'exit')
  clearInterval(look)
  return { speed: BIG / 1e6 / ((performance.now() - begun) / 1000), memory }
}

function peak(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
