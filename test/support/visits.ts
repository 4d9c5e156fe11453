import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'

/** Of a client: the program that stands in its place. */
export function visitOf(client: number): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
      if (Number(parent) === client && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0visit\0')) return Number(pid)
    } catch {
      continue
    }
  }
  return undefined
}

export async function visited(client: number): Promise<number> {
  for (let n = 0; n < 200; n++, await sleep(25)) {
    const visit = visitOf(client)
    if (visit !== undefined) return visit
  }
  throw new Error("nobody stands in the client's place")
}

/** Waits until it is gone. */
export async function alone(pid: number): Promise<void> {
  for (let n = 0; n < 200 && existsSync(`/proc/${pid}`); n++) await sleep(25)
  expect(existsSync(`/proc/${pid}`), 'the program in its place').to.equal(false)
}
