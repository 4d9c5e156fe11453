import { readFileSync, readdirSync } from 'node:fs'
import { expect } from 'chai'
import type { SessionInfo } from '../../src/contract/index.ts'
import { Scratch } from './amux.ts'

interface Row {
  readonly name: string
  readonly provider: string
  readonly state: string
  /** Of the project they were listed in. */
  readonly ours: boolean
}

/** Every computer of a scratch home, as `ls` shows them. */
export async function computers(scratch: Scratch): Promise<readonly Row[]> {
  return (await scratch.json<readonly Row[]>(['computer', 'ls'])).document
}

/** A scratch home whose project has a computer on this machine. */
export async function localScratch(): Promise<Scratch> {
  const scratch = await Scratch.make()
  const { status, stderr } = await scratch.run(['computer', 'create', '-P', 'local'])
  expect(status, stderr).to.equal(0)
  return scratch
}

/** As `session ls` shows them. */
export async function sessions(scratch: Scratch): Promise<readonly SessionInfo[]> {
  return (await scratch.json<readonly SessionInfo[]>(['computer', 'session', 'ls'])).document
}

/** Ends those that run, and forgets them all. */
export async function endSessions(scratch: Scratch): Promise<void> {
  for (const { id, state } of await sessions(scratch)) if (state.status === 'running') await scratch.run(['computer', 'session', 'kill', id, '-s', 'KILL'])
  await scratch.run(['computer', 'session', 'rm', '--ended'])
}

/** Deletes the computers first: what they have mounted is not for `rm`. */
export async function disposeAll(scratch: Scratch): Promise<void> {
  for (const { name, provider, ours } of await computers(scratch)) {
    // An engine shows everybody's; other providers those of this home.
    if (provider === 'docker' && !ours) continue
    const { status, stderr } = await scratch.run(['computer', 'rm', name, '-P', provider, '--yes'])
    if (status !== 0) throw new Error(`${name} is left over: ${stderr}`)
  }
  await scratch.dispose()
}

/** Kills the guests of this home's computers, none of anybody else's. Their supervisors start others. */
export function killGuests(scratch: Scratch): void {
  const read = (pid: string, name: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'utf8')
    } catch {
      return ''
    }
  }
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (read(pid, 'comm').trim() === 'amux-guest' && read(pid, 'mountinfo').includes(scratch.home)) process.kill(Number(pid), 'SIGKILL')
  }
}
