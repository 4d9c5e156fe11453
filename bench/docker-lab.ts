/** A computer on Docker as a user has it, and the same container by the engine's own commands. No measurement itself. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { type Scratch, bin } from '../test/support/amux.ts'
import { disposeAll } from '../test/support/computers.ts'
import { scratchWith } from '../test/support/plugins.ts'
import { type Row, ms } from './measure.ts'

export interface DockerLab {
  readonly scratch: Scratch
  readonly name: string
  /** Our whole command, as it is installed: its first line says how Node is to run it. */
  readonly amux: readonly string[]
  /** `amux` itself, as a person runs it: fails where it fails. */
  run(...args: readonly string[]): void
  docker(...args: readonly string[]): void
}

/** Undefined where no engine answers. The plugin is the built one. */
export async function withDocker(work: (lab: DockerLab) => Promise<readonly Row[]>): Promise<readonly Row[]> {
  if (spawnSync('docker', ['version'], { stdio: 'ignore', timeout: 10_000 }).status !== 0) {
    process.stderr.write('no Docker engine answers: nothing is measured\n')
    return []
  }
  const scratch = await scratchWith('docker')
  try {
    const { status, stdout, stderr } = await scratch.run(['computer', 'create', '-P', 'docker'])
    if (status !== 0) throw new Error(stderr)
    const at = { cwd: scratch.project, env: scratch.env(), stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] }
    return await work({
      scratch,
      name: stdout.trim(),
      amux: [bin],
      run: (...args) => void execFileSync(bin, args, at),
      docker: (...args) => void execFileSync('docker', args, at),
    })
  } finally {
    await disposeAll(scratch)
  }
}

/** Seconds that a shell line takes; its failure is one. */
export function shell({ scratch }: DockerLab, line: string): Promise<number> {
  const begun = performance.now()
  const child = spawn('/bin/bash', ['-o', 'pipefail', '-c', line], { cwd: scratch.project, env: scratch.env(), stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => (status === 0 ? resolve((performance.now() - begun) / 1000) : reject(new Error(`${line} ended with ${status}`))))
  })
}

/** A time against a peer's, in milliseconds. */
export function against(what: string, ours: number, peer: string, theirs: number, most: number): Row {
  return { what: `docker: ${what}`, ours: ms(ours), peer: `${peer}: ${ms(theirs)}`, ratio: ours / theirs, target: `<= ${most} x`, met: ours <= theirs * most }
}

/** A rate against a peer's, in MB/s. */
export function faster(what: string, ours: number, peer: string, theirs: number): Row {
  return { what: `docker: ${what}`, ours: `${ours.toFixed(0)} MB/s`, peer: `${peer}: ${theirs.toFixed(0)} MB/s`, ratio: ours / theirs, target: '>= 1.0 x', met: ours >= theirs }
}

export function within(what: string, value: number, most: number): Row {
  return { what: `docker: ${what}`, ours: ms(value), peer: '', target: `<= ${most} ms`, met: value <= most }
}
